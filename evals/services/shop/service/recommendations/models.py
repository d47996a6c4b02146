from django.db import models

from customers.models import Customer


class ProductView(models.Model):
    CHANNELS = ("web", "app", "store")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="views")
    channel = models.CharField(max_length=10, default="web")
    sku = models.CharField(max_length=20)
    viewed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["channel", "-viewed_at"]),
            models.Index(fields=["customer", "-viewed_at"]),
        ]
