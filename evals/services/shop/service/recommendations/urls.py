from django.urls import path

from recommendations import views

urlpatterns = [
    path("trending/<str:channel>/", views.trending_articles),
    path("customers/<int:pk>/recent/", views.recent),
]
