from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from shelf import accounts, insights, listing
from shelf.models import Customer


def _page(request):
    try:
        return max(0, int(request.GET.get("page", 0)))
    except ValueError:
        return 0


def products(request):
    return JsonResponse({"products": listing.product_list(_page(request))})


def tags(request):
    return JsonResponse({"products": listing.tag_list(_page(request))})


def lookup(request):
    return JsonResponse({"articles": listing.lookup(request.GET.get("skus", "").split(","))})


def reviews(request):
    return JsonResponse(listing.review_counts(_page(request)))


def reviewers(request):
    return JsonResponse({"names": listing.reviewers(_page(request))})


def shown(request):
    return JsonResponse({"skus": listing.shown(_page(request))})


def prices(request):
    return JsonResponse({"prices": listing.price_list()})


def orders(request, pk):
    return JsonResponse({"orders": accounts.order_history(get_object_or_404(Customer, pk=pk))})


def statement(request, pk):
    return JsonResponse({"entries": accounts.statement(get_object_or_404(Customer, pk=pk))})


def discount(request, pk):
    return JsonResponse({"discount": accounts.discount(get_object_or_404(Customer, pk=pk))})


def together(request, pk):
    return JsonResponse(accounts.bought_with(get_object_or_404(Customer, pk=pk)))


def trending(request, channel):
    return JsonResponse(insights.trending(channel))


def view_counts(request, channel):
    return JsonResponse({"counts": insights.view_counts(channel)})


def batches(request, channel):
    return JsonResponse({"batches": insights.batches(channel)})


def score(request):
    return JsonResponse({"scores": insights.score(_page(request))})


def feed(request):
    return JsonResponse(insights.parse_feed(_page(request)))


def plan(request):
    return JsonResponse(insights.shelf_plan(_page(request)))


def retired(request):
    return JsonResponse({"retired": insights.any_retired(_page(request))})
