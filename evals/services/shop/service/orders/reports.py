"""Figures for the morning mail."""

from datetime import timedelta

from django.db.models import F, Sum

from catalogue.models import Category
from orders.models import Order, OrderLine

REPORT_DAYS = 7


def turnover_by_category(day):
    """Turnover in cents of each category on each of the seven days before `day`."""
    report = []
    for category in Category.objects.order_by("slug"):
        days = []
        for back in range(REPORT_DAYS, 0, -1):
            since = day - timedelta(days=back)
            order_ids = Order.objects.filter(placed_at__gte=since, placed_at__lt=since + timedelta(days=1)).values_list(
                "id", flat=True
            )
            total = OrderLine.objects.filter(order_id__in=list(order_ids), product__category=category).aggregate(
                cents=Sum(F("quantity") * F("unit_cents"))
            )
            days.append({"day": since.date().isoformat(), "cents": total["cents"] or 0})
        report.append({"category": category.slug, "days": days})
    return report
