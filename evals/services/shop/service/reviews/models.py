from django.db import models

from catalogue.models import Product
from customers.models import Customer


class Review(models.Model):
    PENDING = "pending"
    PUBLISHED = "published"
    REJECTED = "rejected"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    # kept, without its author, when the customer asks to be forgotten
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="reviews")
    rating = models.SmallIntegerField()
    title = models.CharField(max_length=120, blank=True)
    body = models.TextField(blank=True)
    status = models.CharField(max_length=10, default=PENDING)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["status", "created_at"]),
            models.Index(fields=["product", "status", "-created_at"]),
        ]
