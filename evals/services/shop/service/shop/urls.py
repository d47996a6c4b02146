from django.http import JsonResponse
from django.urls import include, path


def healthz(request):
    return JsonResponse({"ok": True})


urlpatterns = [
    path("healthz", healthz),
    path("", include("catalogue.urls")),
    path("", include("reviews.urls")),
    path("", include("customers.urls")),
    path("", include("orders.urls")),
    path("", include("promotions.urls")),
    path("", include("inventory.urls")),
    path("", include("recommendations.urls")),
]
