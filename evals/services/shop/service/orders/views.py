from datetime import UTC, datetime

from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from customers.models import Customer
from orders.models import Order
from orders.reports import turnover_by_category
from orders.serializers import serialize_order
from orders.services import OrderRefused, order_history, place_order
from shop.http import BadRequest, error, int_param, json_body, required, staff_only

MAX_ITEMS = 50


@require_GET
def customer_orders(request, pk):
    customer = get_object_or_404(Customer, pk=pk)
    page = int_param(request, "page", 1)
    return JsonResponse({"customer": customer.pk, "page": page, "orders": order_history(customer, page)})


@require_GET
def order_detail(request, number):
    order = get_object_or_404(Order.objects.select_related("customer"), number=number)
    lines = order.lines.select_related("product").order_by("id")
    return JsonResponse(serialize_order(order, lines))


@require_POST
def create_order(request):
    body = json_body(request)
    customer = Customer.objects.filter(pk=required(body, "customer", int)).first()
    if customer is None:
        return error(404, "no such customer")
    items = read_items(body)
    try:
        order = place_order(customer, items, body.get("slot"))
    except OrderRefused as refusal:
        return error(409, str(refusal))
    return JsonResponse({"number": order.number, "net_cents": order.net_cents}, status=201)


def read_items(body):
    items = []
    for item in required(body, "items", list):
        if not isinstance(item, dict):
            raise BadRequest("items must be objects with sku and quantity")
        quantity = required(item, "quantity", int)
        if quantity < 1:
            raise BadRequest("quantity must be positive")
        items.append((required(item, "sku", str), quantity))
    if not 0 < len(items) <= MAX_ITEMS:
        raise BadRequest(f"an order has between 1 and {MAX_ITEMS} items")
    return items


@require_GET
@staff_only
def turnover_report(request):
    day = parse_date(request.GET.get("day", ""))
    if day is None:
        raise BadRequest("day must be a date, as in 2026-11-02")
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return JsonResponse({"report": turnover_by_category(start)})
