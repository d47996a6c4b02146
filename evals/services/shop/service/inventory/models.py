from django.db import models


class StockLevel(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)

    @property
    def available(self):
        return self.on_hand - self.reserved


class StockMovement(models.Model):
    RECEIPT = "receipt"
    SALE = "sale"
    RETURN = "return"
    ADJUSTMENT = "adjustment"
    KINDS = (RECEIPT, SALE, RETURN, ADJUSTMENT)

    sku = models.CharField(max_length=20)
    kind = models.CharField(max_length=12)
    quantity = models.IntegerField()
    reference = models.CharField(max_length=40, blank=True)
    warehouse = models.CharField(max_length=20, default="main")
    note = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()


class DeliverySlot(models.Model):
    region = models.CharField(max_length=20)
    status = models.CharField(max_length=10, default="open")
    starts_at = models.DateTimeField()
    capacity = models.IntegerField(default=100)
    booked = models.IntegerField(default=0)


class SupplierFeed(models.Model):
    """A stock list as a supplier sent it, one article on a line."""

    supplier = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    body = models.TextField()
