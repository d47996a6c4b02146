from catalogue.serializers import format_price


def serialize_order(order, lines):
    return {
        "number": order.number,
        "status": order.status,
        "customer": order.customer.name,
        "placed_at": order.placed_at.isoformat(),
        "net": format_price(order.net_cents),
        "lines": [serialize_line(line) for line in lines],
    }


def serialize_line(line):
    return {
        "sku": line.sku,
        "name": line.product.name,
        "quantity": line.quantity,
        "total": format_price(line.total_cents),
    }
