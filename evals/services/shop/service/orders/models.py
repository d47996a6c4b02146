from django.db import models

from catalogue.models import Product
from customers.models import Customer


class ShopSettings(models.Model):
    """One row, edited in the back office."""

    currency = models.CharField(max_length=3, default="EUR")
    points_per_euro = models.IntegerField(default=2)
    free_shipping_cents = models.IntegerField(default=5000)
    shipping_cents = models.IntegerField(default=490)

    class Meta:
        verbose_name_plural = "shop settings"


class Order(models.Model):
    PLACED = "placed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"

    number = models.CharField(max_length=20, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, default=PLACED)
    net_cents = models.IntegerField(default=0)
    placed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-placed_at"]),
            models.Index(fields=["placed_at"]),
        ]

    def __str__(self):
        return self.number


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=20)
    quantity = models.IntegerField()
    unit_cents = models.IntegerField()
    tax_percent = models.SmallIntegerField(default=19)
    gift_wrap = models.BooleanField(default=False)
    note = models.CharField(max_length=120, blank=True)

    @property
    def total_cents(self):
        return self.quantity * self.unit_cents
