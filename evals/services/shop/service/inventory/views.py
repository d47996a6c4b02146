from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from inventory.feeds import parse_feed
from inventory.models import StockLevel, StockMovement, SupplierFeed
from inventory.services import adjust, open_slots, recent_movements
from shop.http import BadRequest, error, json_body, required, staff_only


@require_GET
def stock_level(request, sku):
    level = get_object_or_404(StockLevel, sku=sku)
    return JsonResponse({"sku": level.sku, "available": level.available})


@require_GET
@staff_only
def movement_list(request):
    sku = request.GET.get("sku", "")
    kind = request.GET.get("kind", StockMovement.SALE)
    if kind not in StockMovement.KINDS:
        raise BadRequest(f"kind must be one of {', '.join(StockMovement.KINDS)}")
    movements = [
        {"quantity": m.quantity, "reference": m.reference, "at": m.occurred_at.isoformat()}
        for m in recent_movements(sku, kind)
    ]
    return JsonResponse({"sku": sku, "kind": kind, "movements": movements})


@require_POST
@staff_only
def adjust_stock(request):
    body = json_body(request)
    level = adjust(required(body, "sku", str), required(body, "quantity", int), str(body.get("reference", "count")))
    if level is None:
        return error(404, "no such article")
    return JsonResponse({"sku": level.sku, "available": level.available})


@require_GET
def delivery_slots(request):
    region = request.GET.get("region", "north")
    slots = [
        {"id": s.pk, "starts_at": s.starts_at.isoformat(), "free": max(s.capacity - s.booked, 0)}
        for s in open_slots(region)
    ]
    return JsonResponse({"region": region, "slots": slots})


@require_GET
@staff_only
def feed_summary(request, pk):
    feed = get_object_or_404(SupplierFeed, pk=pk)
    units, rejected = parse_feed(feed.body)
    return JsonResponse(
        {
            "supplier": feed.supplier,
            "articles": len(units),
            "units": sum(units.values()),
            "rejected_lines": rejected[:100],
        }
    )
