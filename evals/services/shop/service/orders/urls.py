from django.urls import path

from orders import views

urlpatterns = [
    path("customers/<int:pk>/orders/", views.customer_orders),
    path("orders/", views.create_order),
    path("orders/<str:number>/", views.order_detail),
    path("reports/turnover/", views.turnover_report),
]
