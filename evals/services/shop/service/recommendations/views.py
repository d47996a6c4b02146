from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from customers.models import Customer
from recommendations.models import ProductView
from recommendations.services import recently_viewed, trending
from shop.http import error


@require_GET
def trending_articles(request, channel):
    if channel not in ProductView.CHANNELS:
        return error(404, "no such channel")
    skus, distinct = trending(channel)
    return JsonResponse({"channel": channel, "skus": skus, "distinct": distinct})


@require_GET
def recent(request, pk):
    customer = get_object_or_404(Customer, pk=pk)
    return JsonResponse({"items": recently_viewed(customer)})
