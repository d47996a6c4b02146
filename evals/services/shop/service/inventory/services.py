from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inventory.models import DeliverySlot, StockLevel, StockMovement

MOVEMENTS_SIZE = 40


def recent_movements(sku, kind):
    return StockMovement.objects.filter(sku=sku, kind=kind).order_by("-occurred_at")[:MOVEMENTS_SIZE]


def open_slots(region):
    return DeliverySlot.objects.filter(region=region, status="open").order_by("starts_at")[:10]


@transaction.atomic
def adjust(sku, quantity, reference):
    """Correct the stock of one article after a count; returns the new level, None for an unknown SKU."""
    changed = StockLevel.objects.filter(sku=sku).update(on_hand=F("on_hand") + quantity)
    if not changed:
        return None
    StockMovement.objects.create(
        sku=sku,
        kind=StockMovement.ADJUSTMENT,
        quantity=quantity,
        reference=reference[:40],
        occurred_at=timezone.now(),
    )
    return StockLevel.objects.get(sku=sku)
