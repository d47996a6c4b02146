from django.urls import path

from customers import views

urlpatterns = [
    path("customers/<int:pk>/", views.customer_detail),
    path("customers/<int:pk>/statement/", views.customer_statement),
]
