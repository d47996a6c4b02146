from django.http import JsonResponse
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import Product
from customers.models import Customer
from orders.views import read_items
from promotions.models import Promotion
from promotions.services import Cart, best_promotion, price_lines, redeem
from shop.http import BadRequest, error, json_body, required


@require_GET
def promotion_list(request):
    promotions = Promotion.objects.filter(active=True).order_by("priority", "id")
    items = [{"code": p.code, "title": p.title, "value_cents": p.value_cents} for p in promotions]
    return JsonResponse({"promotions": items})


@require_POST
def cart_quote(request):
    body = json_body(request)
    items = read_items(body)
    products = {p.sku: p for p in Product.objects.filter(sku__in=[sku for sku, _ in items])}
    missing = [sku for sku, _ in items if sku not in products]
    if missing:
        return error(404, f"not sold here: {', '.join(missing)}")
    lines = price_lines((products[sku], quantity) for sku, quantity in items)
    total = sum(line["unit_cents"] * line["quantity"] for line in lines)
    cart = Cart(str(body.get("country", "DE")), total, sum(line["quantity"] for line in lines))
    promotion = best_promotion(cart)
    discount = min(promotion.value_cents, total) if promotion else 0
    return JsonResponse(
        {
            "lines": lines,
            "promotion": promotion.code if promotion else None,
            "total_cents": total - discount,
        }
    )


@require_POST
def redeem_codes(request):
    body = json_body(request)
    customer = Customer.objects.filter(pk=required(body, "customer", int)).first()
    if customer is None:
        return error(404, "no such customer")
    codes = required(body, "codes", list)
    if not codes or not all(isinstance(code, str) for code in codes):
        raise BadRequest("codes must be a list of strings")
    return JsonResponse({"outcome": redeem(customer, codes)})
