from datetime import timedelta

import pytest
from django.utils import timezone

from promotions.models import FlashSale, Promotion, PromotionBudget, PromotionRule, Redemption
from promotions.services import Cart, best_promotion, price_lines, redeem


def promotion(code, priority=1, value_cents=100, active=True, **rule):
    return Promotion.objects.create(
        code=code,
        title=code,
        rule=PromotionRule.objects.create(**rule),
        value_cents=value_cents,
        priority=priority,
        active=active,
    )


def sale(percent, starts=-1, ends=1):
    now = timezone.now()
    return FlashSale.objects.create(
        title="sale",
        percent_off=percent,
        starts_at=now + timedelta(hours=starts),
        ends_at=now + timedelta(hours=ends),
    )


@pytest.mark.parametrize(
    "rule,matches",
    [
        ({}, True),
        ({"min_cents": 5000}, True),
        ({"min_cents": 5001}, False),
        ({"min_items": 3}, True),
        ({"min_items": 4}, False),
        ({"countries": "DE,FR"}, True),
        ({"countries": "SE"}, False),
    ],
)
def test_rule(rule, matches):
    assert PromotionRule(**rule).matches(Cart("DE", 5000, 3)) is matches


def test_best_promotion_is_the_first_by_priority_that_matches(db):
    promotion("LATE", priority=3)
    promotion("BIG", priority=1, min_cents=90_000)
    promotion("NEXT", priority=2)
    assert best_promotion(Cart("DE", 5000, 1)).code == "NEXT"


def test_best_promotion_ignores_inactive_ones(db):
    promotion("OFF", active=False)
    assert best_promotion(Cart("DE", 5000, 1)) is None


def test_best_promotion_without_any(db):
    assert best_promotion(Cart("DE", 5000, 1)) is None


def test_price_without_a_sale(shop):
    product = shop.product(price_cents=999)
    sale(50, starts=-2, ends=-1)
    sale(50, starts=1, ends=2)
    assert price_lines([(product, 2)]) == [{"sku": product.sku, "quantity": 2, "unit_cents": 999}]


def test_price_takes_the_deepest_running_sale(shop):
    product = shop.product(price_cents=1000)
    sale(10)
    sale(25)
    assert price_lines([(product, 1)])[0]["unit_cents"] == 750


def test_price_of_a_line_after_the_sale_ended(shop):
    product = shop.product(price_cents=1000)
    running = sale(20)

    def lines():
        yield product, 1
        running.ends_at = timezone.now()
        running.save()
        yield product, 1

    assert [line["unit_cents"] for line in price_lines(lines())] == [800, 1000]


def test_price_of_a_line_after_a_sale_started(shop):
    product = shop.product(price_cents=1000)

    def lines():
        yield product, 1
        sale(30)
        yield product, 1

    assert [line["unit_cents"] for line in price_lines(lines())] == [1000, 700]


def test_quote(api, shop):
    product = shop.product(price_cents=1000)
    promotion("TEN", value_cents=300)
    sale(10)
    quote = api.post("/cart/quote/", {"items": [{"sku": product.sku, "quantity": 2}]})
    assert (quote["promotion"], quote["total_cents"]) == ("TEN", 1500)


def test_quote_never_goes_below_zero(api, shop):
    product = shop.product(price_cents=100)
    promotion("HUGE", value_cents=5000)
    assert api.post("/cart/quote/", {"items": [{"sku": product.sku, "quantity": 1}]})["total_cents"] == 0


def test_quote_of_an_unknown_article(api, db):
    answer = api.post("/cart/quote/", {"items": [{"sku": "SKU-9", "quantity": 1}]}, status=404)
    assert answer["error"] == "not sold here: SKU-9"


def budget(cents):
    PromotionBudget.objects.filter(pk=1).update(remaining_cents=cents)


def left():
    return PromotionBudget.objects.get(pk=1).remaining_cents


def test_redeem_spends_the_budget(shop):
    budget(1000)
    promotion("A", value_cents=300)
    assert redeem(shop.customer(), ["A"]) == [{"code": "A", "result": "redeemed"}]
    assert left() == 700


def test_redeem_stops_when_an_earlier_code_spent_the_budget(shop):
    budget(500)
    promotion("A", value_cents=300)
    promotion("B", value_cents=250)
    promotion("C", value_cents=200)
    outcome = redeem(shop.customer(), ["A", "B", "C"])
    assert [row["result"] for row in outcome] == ["redeemed", "budget spent", "redeemed"]
    assert left() == 0
    assert Redemption.objects.count() == 2


def test_redeem_the_same_code_twice_needs_the_budget_twice(shop):
    budget(450)
    promotion("A", value_cents=300)
    assert [row["result"] for row in redeem(shop.customer(), ["A", "A"])] == ["redeemed", "budget spent"]


def test_redeem_unknown_and_inactive_codes(shop):
    budget(1000)
    promotion("OFF", active=False)
    outcome = redeem(shop.customer(), ["NONE", "OFF"])
    assert [row["result"] for row in outcome] == ["unknown", "unknown"]
    assert left() == 1000


def test_redeem_endpoint(api, shop):
    budget(1000)
    promotion("A", value_cents=300)
    customer = shop.customer()
    assert api.post("/promotions/redeem/", {"customer": customer.pk, "codes": ["A"]})["outcome"] == [
        {"code": "A", "result": "redeemed"}
    ]
    api.post("/promotions/redeem/", {"customer": customer.pk, "codes": []}, status=400)
    api.post("/promotions/redeem/", {"customer": 0, "codes": ["A"]}, status=404)


def test_promotion_list(api, db):
    promotion("B", priority=2)
    promotion("A", priority=1)
    promotion("OFF", active=False)
    assert [p["code"] for p in api.get("/promotions/")["promotions"]] == ["A", "B"]
