from django.urls import path

from shelf import views

urlpatterns = [
    path("products/", views.products),
    path("tags/", views.tags),
    path("lookup/", views.lookup),
    path("reviews/", views.reviews),
    path("reviewers/", views.reviewers),
    path("shown/", views.shown),
    path("prices/", views.prices),
    path("customers/<int:pk>/orders/", views.orders),
    path("customers/<int:pk>/statement/", views.statement),
    path("customers/<int:pk>/discount/", views.discount),
    path("customers/<int:pk>/together/", views.together),
    path("trending/<str:channel>/", views.trending),
    path("views/<str:channel>/", views.view_counts),
    path("batches/<str:channel>/", views.batches),
    path("score/", views.score),
    path("feed/", views.feed),
    path("plan/", views.plan),
    path("retired/", views.retired),
]
