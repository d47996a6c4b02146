from django.db import models


class Customer(models.Model):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, default="DE")
    tier = models.CharField(max_length=10, default="basic")
    phone = models.CharField(max_length=30, blank=True)
    language = models.CharField(max_length=5, default="en")
    preferences = models.JSONField(default=dict)
    accepts_marketing = models.BooleanField(default=False)
    joined_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)

    def __str__(self):
        return self.name

    @property
    def is_gold(self):
        return self.tier == "gold"


class Address(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    postcode = models.CharField(max_length=12)
    is_default = models.BooleanField(default=False)
