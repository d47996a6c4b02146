from django.urls import path

from reviews import views

urlpatterns = [
    path("products/<slug:slug>/reviews/", views.product_reviews),
    path("reviews/moderation/", views.moderation_queue),
]
