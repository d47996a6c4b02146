from catalogue.serializers import format_price
from orders.models import Order, ShopSettings

STATEMENT_SIZE = 50


def account_statement(customer):
    """The last orders with what was charged for shipping and the loyalty points earned."""
    entries = []
    points = 0
    orders = Order.objects.filter(customer=customer).exclude(status=Order.CANCELLED)
    for order in orders.order_by("-placed_at")[:STATEMENT_SIZE]:
        conditions = ShopSettings.objects.get(pk=1)
        shipping = 0 if order.net_cents >= conditions.free_shipping_cents else conditions.shipping_cents
        earned = order.net_cents // 100 * conditions.points_per_euro
        if customer.is_gold:
            earned *= 2
        points += earned
        entries.append(
            {
                "number": order.number,
                "net": format_price(order.net_cents),
                "shipping": format_price(shipping),
                "currency": conditions.currency,
                "points": earned,
            }
        )
    return {"customer": customer.pk, "entries": entries, "points": points}
