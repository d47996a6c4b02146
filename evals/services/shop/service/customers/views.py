from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from customers.models import Customer
from customers.services import account_statement


@require_GET
def customer_detail(request, pk):
    customer = get_object_or_404(Customer, pk=pk)
    addresses = [
        {"street": a.street, "city": a.city, "postcode": a.postcode, "default": a.is_default}
        for a in customer.addresses.order_by("id")
    ]
    return JsonResponse(
        {
            "id": customer.pk,
            "name": customer.name,
            "country": customer.country,
            "tier": customer.tier,
            "orders": customer.orders.count(),
            "addresses": addresses,
        }
    )


@require_GET
def customer_statement(request, pk):
    customer = get_object_or_404(Customer, pk=pk)
    return JsonResponse(account_statement(customer))
