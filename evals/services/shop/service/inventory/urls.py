from django.urls import path

from inventory import views

urlpatterns = [
    path("inventory/stock/<str:sku>/", views.stock_level),
    path("inventory/movements/", views.movement_list),
    path("inventory/adjust/", views.adjust_stock),
    path("inventory/feeds/<int:pk>/", views.feed_summary),
    path("delivery-slots/", views.delivery_slots),
]
