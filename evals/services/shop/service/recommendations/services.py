from catalogue.models import Product
from catalogue.serializers import serialize_product
from recommendations.models import ProductView

TRENDING_WINDOW = 2000
TRENDING_SIZE = 12


def trending(channel):
    """The articles looked at last in a channel, each once, and how many different ones were looked at."""
    views = ProductView.objects.filter(channel=channel).order_by("-viewed_at").values_list("sku", flat=True)
    seen = []
    latest = []
    distinct = 0
    for sku in views[:TRENDING_WINDOW]:
        if sku in seen:
            continue
        seen.append(sku)
        distinct += 1
        if distinct <= TRENDING_SIZE:
            latest.append(sku)
    return latest, distinct


def recently_viewed(customer):
    views = ProductView.objects.filter(customer=customer).order_by("-viewed_at")
    skus = list(views.values_list("sku", flat=True)[:20])
    products = {p.sku: p for p in Product.objects.select_related("category").filter(sku__in=skus)}
    return [serialize_product(products[sku]) for sku in dict.fromkeys(skus) if sku in products]
