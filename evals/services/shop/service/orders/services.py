import uuid

from django.db import transaction
from django.utils import timezone

from catalogue.models import Product
from catalogue.serializers import format_price
from inventory.models import DeliverySlot, StockLevel, StockMovement
from orders.models import Order, OrderLine

HISTORY_SIZE = 60


class OrderRefused(Exception):
    pass


def order_history(customer, page=1):
    """The customer's orders, newest first, each with its units and gross value."""
    orders = Order.objects.filter(customer=customer).order_by("-placed_at")
    start = (page - 1) * HISTORY_SIZE
    rows = []
    for order in orders[start : start + HISTORY_SIZE]:
        units = 0
        value = 0
        skus = []
        for line in order.lines.all():
            units += line.quantity
            value += line.total_cents
            skus.append(line.sku)
        rows.append(
            {
                "number": order.number,
                "status": order.status,
                "placed_at": order.placed_at.isoformat(),
                "units": units,
                "value": format_price(value),
                "skus": sorted(skus),
            }
        )
    return rows


@transaction.atomic
def place_order(customer, items, slot_id=None):
    """Reserve the stock of every item and write the order.

    items: list of (sku, quantity). Raises OrderRefused when an item is unknown or out of stock;
    nothing is written then.
    """
    order = Order.objects.create(customer=customer, number=_new_number(), placed_at=timezone.now())
    # one order of locking for everybody, or two carts with the same articles wait for each other
    for sku, quantity in sorted(items):
        product = _active_product(sku)
        level = StockLevel.objects.select_for_update().get(sku=sku)
        if level.available < quantity:
            raise OrderRefused(f"{sku}: only {level.available} left")
        level.reserved += quantity
        level.save(update_fields=["reserved"])
        StockMovement.objects.create(
            sku=sku, kind=StockMovement.SALE, quantity=-quantity, reference=order.number, occurred_at=timezone.now()
        )
        OrderLine.objects.create(
            order=order, product=product, sku=sku, quantity=quantity, unit_cents=product.price_cents
        )
        order.net_cents += quantity * product.price_cents
    order.save(update_fields=["net_cents"])
    if slot_id is not None:
        _book_slot(slot_id)
    return order


def _active_product(sku):
    product = Product.objects.filter(sku=sku, status=Product.ACTIVE).first()
    if product is None:
        raise OrderRefused(f"{sku}: not sold here")
    return product


def _new_number():
    return f"W{uuid.uuid4().hex[:12].upper()}"


def _book_slot(slot_id):
    slot = DeliverySlot.objects.select_for_update().filter(pk=slot_id).first()
    if slot is None:
        raise OrderRefused("no such delivery slot")
    slot.booked += 1
    slot.save(update_fields=["booked"])
