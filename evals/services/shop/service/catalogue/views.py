from django.db.models import Avg, Count
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from catalogue.models import Category, Product
from catalogue.serializers import format_price, serialize_category, serialize_product, serialize_product_detail
from reviews.models import Review
from shop.http import BadRequest, int_param

PAGE_SIZE = 60
SEARCH_LIMIT = 20


@require_GET
def product_list(request):
    page = int_param(request, "page", 1)
    products = Product.objects.filter(status=Product.ACTIVE).order_by("-popularity", "id")
    brand = request.GET.get("brand")
    if brand:
        products = products.filter(brand__slug=brand)
    start = (page - 1) * PAGE_SIZE
    items = []
    for product in products[start : start + PAGE_SIZE]:
        items.append(serialize_product(product))
    return JsonResponse({"page": page, "items": items})


@require_GET
def product_detail(request, slug):
    product = get_object_or_404(Product.objects.select_related("category", "brand"), slug=slug)
    rating = Review.objects.filter(product=product, status=Review.PUBLISHED).aggregate(
        average=Avg("rating"), count=Count("id")
    )
    if rating["average"] is not None:
        rating["average"] = round(rating["average"], 2)
    return JsonResponse(serialize_product_detail(product, rating))


@require_GET
def category_list(request):
    active = Product.objects.filter(status=Product.ACTIVE).order_by()
    counts = dict(active.values_list("category").annotate(Count("id")))
    categories = Category.objects.only("slug", "name").order_by("position", "slug")
    return JsonResponse({"categories": [serialize_category(c, counts.get(c.pk, 0)) for c in categories]})


@require_GET
def category_products(request, slug):
    category = get_object_or_404(Category, slug=slug)
    products = category.products.select_related("category").filter(status=Product.ACTIVE)
    items = [serialize_product(p) for p in products.order_by("-popularity", "id")[:24]]
    return JsonResponse({"category": category.name, "items": items})


@require_GET
def search(request):
    term = request.GET.get("q", "").strip()
    if len(term) < 2:
        raise BadRequest("q needs at least two characters")
    rows = (
        Product.objects.filter(status=Product.ACTIVE, name__icontains=term)
        .order_by("-popularity", "id")
        .values_list("slug", "name", "price_cents")[:SEARCH_LIMIT]
    )
    items = [{"slug": slug, "name": name, "price": format_price(cents)} for slug, name, cents in rows]
    return JsonResponse({"q": term, "items": items})
