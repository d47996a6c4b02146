"""What a customer sees of the orders."""

import logging
from decimal import Decimal

from shelf.models import Order, OrderLine, ShopSettings

logger = logging.getLogger("shelf")

HISTORY_SIZE = 50


def order_history(customer):
    """The orders, newest first, each with its units and value."""
    rows = []
    for order in Order.objects.filter(customer=customer).order_by("-placed_at")[:HISTORY_SIZE]:
        units = 0
        value = 0
        for line in order.lines.all():
            units += line.quantity
            value += line.total_cents
        if units == 0:
            logger.warning("order %s has no lines", order.number)
        rows.append({"number": order.number, "status": order.status, "units": units, "value": value})
    return rows


def statement(customer):
    """Shipping and points of each order that was not cancelled."""
    entries = []
    orders = Order.objects.filter(customer=customer).exclude(status=Order.CANCELLED).order_by("-placed_at")
    for order in orders[:HISTORY_SIZE]:
        conditions = ShopSettings.objects.get(pk=1)
        value = sum(line.total_cents for line in order.lines.all())
        shipping = 0 if value >= conditions.free_shipping_cents else conditions.shipping_cents
        points = value // 100 * conditions.points_per_euro
        entries.append({"number": order.number, "shipping": shipping, "points": points * (2 if customer.is_gold else 1)})
    return entries


def discount(customer):
    """What the loyalty programme gives back, to a hundredth of a cent."""
    total = Decimal(0)
    for order in Order.objects.filter(customer=customer):
        for line in OrderLine.objects.filter(order=order):
            share = Decimal(line.unit_cents) * line.quantity / Decimal(300)
            total += share.quantize(Decimal("0.0001"))
    return str(total)


def bought_with(customer):
    """Pairs of SKUs that were in one order, with how often."""
    pairs = {}
    for order in Order.objects.filter(customer=customer).order_by("id"):
        skus = []
        for line in order.lines.all():
            skus.append(line.product.sku)
        for first in sorted(skus):
            for second in sorted(skus):
                if first < second:
                    pairs[f"{first}+{second}"] = pairs.get(f"{first}+{second}", 0) + 1
    return pairs
