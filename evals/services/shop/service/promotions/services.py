from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from promotions.models import FlashSale, Promotion, PromotionBudget, Redemption


@dataclass
class Cart:
    country: str
    total_cents: int
    units: int


def best_promotion(cart):
    """The first active promotion, by priority, whose rule the cart satisfies."""
    for promotion in Promotion.objects.filter(active=True).order_by("priority", "id"):
        if promotion.rule.matches(cart):
            return promotion
    return None


def price_lines(lines):
    """Price (product, quantity) pairs; a flash sale counts while it lasts."""
    priced = []
    for product, quantity in lines:
        sale = (
            FlashSale.objects.filter(starts_at__lte=timezone.now(), ends_at__gt=timezone.now())
            .order_by("-percent_off")
            .first()
        )
        unit_cents = product.price_cents
        if sale is not None:
            unit_cents -= unit_cents * sale.percent_off // 100
        priced.append({"sku": product.sku, "quantity": quantity, "unit_cents": unit_cents})
    return priced


@transaction.atomic
def redeem(customer, codes):
    """Redeem codes in the order given, as far as the month's budget goes."""
    outcome = []
    promotions = {p.code: p for p in Promotion.objects.filter(code__in=codes, active=True)}
    for code in codes:
        promotion = promotions.get(code)
        if promotion is None:
            outcome.append({"code": code, "result": "unknown"})
            continue
        budget = PromotionBudget.objects.get(pk=1)
        if budget.remaining_cents < promotion.value_cents:
            outcome.append({"code": code, "result": "budget spent"})
            continue
        _spend(customer, promotion)
        outcome.append({"code": code, "result": "redeemed"})
    return outcome


def _spend(customer, promotion):
    PromotionBudget.objects.filter(pk=1).update(remaining_cents=F("remaining_cents") - promotion.value_cents)
    Redemption.objects.create(
        promotion=promotion, customer=customer, amount_cents=promotion.value_cents, redeemed_at=timezone.now()
    )
