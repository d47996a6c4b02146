from django.urls import path

from catalogue import views

urlpatterns = [
    path("products/", views.product_list),
    path("products/<slug:slug>/", views.product_detail),
    path("categories/", views.category_list),
    path("categories/<slug:slug>/", views.category_products),
    path("search/", views.search),
]
