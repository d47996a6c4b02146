from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import Product
from customers.models import Customer
from reviews.models import Review
from reviews.serializers import serialize_review
from shop.http import BadRequest, error, int_param, json_body, required, staff_only

PAGE_SIZE = 20
QUEUE_SIZE = 50


@require_http_methods(["GET", "POST"])
def product_reviews(request, slug):
    product = get_object_or_404(Product, slug=slug)
    if request.method == "POST":
        return add_review(request, product)
    page = int_param(request, "page", 1)
    reviews = (
        Review.objects.filter(product=product, status=Review.PUBLISHED)
        .select_related("customer")
        .order_by("-created_at")
    )
    start = (page - 1) * PAGE_SIZE
    items = [serialize_review(r) for r in reviews[start : start + PAGE_SIZE]]
    return JsonResponse({"product": product.slug, "page": page, "items": items})


def add_review(request, product):
    body = json_body(request)
    customer_id = required(body, "customer", int)
    rating = required(body, "rating", int)
    if not 1 <= rating <= 5:
        raise BadRequest("rating must be between 1 and 5")
    if not Customer.objects.filter(pk=customer_id).exists():
        return error(404, "no such customer")
    review = Review.objects.create(
        product=product,
        customer_id=customer_id,
        rating=rating,
        title=str(body.get("title", ""))[:120],
        body=str(body.get("body", "")),
        created_at=timezone.now(),
    )
    return JsonResponse({"id": review.pk, "status": review.status}, status=201)


@require_GET
@staff_only
def moderation_queue(request):
    pending = Review.objects.filter(status=Review.PENDING).order_by("created_at")
    rows = []
    for review in pending[:QUEUE_SIZE]:
        rows.append(
            {
                "id": review.pk,
                "author": review.customer.name if review.customer else "former customer",
                "rating": review.rating,
                "title": review.title,
                "words": len(review.body.split()),
                "waiting_since": review.created_at.isoformat(),
            }
        )
    return JsonResponse({"queue": rows})
