from django.db import models

from customers.models import Customer


class PromotionRule(models.Model):
    min_cents = models.IntegerField(default=0)
    min_items = models.IntegerField(default=0)
    countries = models.CharField(max_length=200, blank=True)

    def matches(self, cart):
        if cart.total_cents < self.min_cents or cart.units < self.min_items:
            return False
        return not self.countries or cart.country in self.countries.split(",")


class Promotion(models.Model):
    code = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=120)
    rule = models.ForeignKey(PromotionRule, on_delete=models.PROTECT, related_name="promotions")
    value_cents = models.IntegerField()
    active = models.BooleanField(default=True)
    priority = models.IntegerField(default=100)


class PromotionBudget(models.Model):
    """What marketing may still give away this month: one row."""

    remaining_cents = models.BigIntegerField(default=0)


class Redemption(models.Model):
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="redemptions")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="redemptions")
    amount_cents = models.IntegerField()
    redeemed_at = models.DateTimeField()


class FlashSale(models.Model):
    title = models.CharField(max_length=120)
    percent_off = models.IntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
