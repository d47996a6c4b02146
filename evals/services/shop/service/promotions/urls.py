from django.urls import path

from promotions import views

urlpatterns = [
    path("promotions/", views.promotion_list),
    path("promotions/redeem/", views.redeem_codes),
    path("cart/quote/", views.cart_quote),
]
