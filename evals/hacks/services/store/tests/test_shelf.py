from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from shelf import accounts, insights, listing, models

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
numbers = count(1)


def product(**values):
    n = next(numbers)
    return models.Product.objects.create(**{"sku": f"SKU-{n:05d}", "name": f"Lamp {n}", "price_cents": 1000, **values})


def order(customer, *lines, **values):
    n = next(numbers)
    made = models.Order.objects.create(
        customer=customer, number=f"S{n}", placed_at=START + timedelta(hours=n), **values
    )
    for article, quantity in lines:
        models.OrderLine.objects.create(order=made, product=article, quantity=quantity, unit_cents=article.price_cents)
    return made


@pytest.fixture
def customer():
    return models.Customer.objects.create(name="Ada", email="ada@example.org")


def test_products_are_listed_with_their_category():
    lamps = models.Category.objects.create(name="Lamps")
    first, second = product(category=lamps, popularity=2), product(popularity=1)
    product(status=models.Product.RETIRED)
    assert listing.product_list(0) == [
        {"sku": first.sku, "label": f"{first.name} ({first.sku})", "category": "Lamps"},
        {"sku": second.sku, "label": f"{second.name} ({second.sku})", "category": "Uncategorised"},
    ]


def test_tags_are_in_alphabetical_order():
    article = product()
    article.tags.set([models.Tag.objects.create(name=name) for name in ("oak", "linen")])
    assert listing.tag_list(0) == [{"sku": article.sku, "tags": ["linen", "oak"]}]


def test_a_shopping_list_keeps_its_order():
    first, second = product(), product()
    found = listing.lookup([second.sku, "gone", first.sku])
    assert [row["sku"] for row in found] == [second.sku, first.sku]


def test_reviews_are_counted(customer):
    article = product()
    models.Review.objects.create(product=article, customer=customer, rating=5)
    models.Review.objects.create(product=article, rating=4)
    assert listing.review_counts(0) == {article.sku: {"count": 2, "bad": False}}
    assert listing.reviewers(0) == ["a former customer", "Ada"]


def test_impressions_are_noted():
    article = product()
    assert listing.shown(0) == [article.sku]
    assert models.Impression.objects.get().sku == article.sku


def test_prices_of_what_is_sold():
    article = product()
    product(status=models.Product.RETIRED)
    assert listing.price_list() == [[article.sku, 1000]]


def test_order_history_is_newest_first(customer):
    article = product()
    old, new = order(customer, (article, 2)), order(customer, (article, 1), (product(), 1))
    assert [(row["number"], row["units"], row["value"]) for row in accounts.order_history(customer)] == [
        (new.number, 2, 2000),
        (old.number, 2, 2000),
    ]


def test_the_statement_leaves_cancelled_orders_out(customer):
    models.ShopSettings.objects.create(pk=1)
    kept = order(customer, (product(), 6))
    order(customer, (product(), 1), status=models.Order.CANCELLED)
    assert accounts.statement(customer) == [{"number": kept.number, "shipping": 0, "points": 120}]


def test_discount(customer):
    order(customer, (product(), 2))
    assert accounts.discount(customer) == "6.6667"


def test_what_was_bought_together(customer):
    first, second = product(), product()
    order(customer, (second, 1), (first, 1))
    assert accounts.bought_with(customer) == {f"{first.sku}+{second.sku}": 1}


def test_views():
    for sku in ("a", "b", "a"):
        models.PageView.objects.create(sku=sku, channel="web")
    assert insights.trending("web") == {"latest": ["a", "b"], "distinct": 2}
    assert insights.view_counts("web") == [[2, "a"], [1, "b"]]
    assert insights.batches("web")[0] == ["a", "b"]


def test_scores_plans_and_feeds():
    first, second = product(), product(popularity=3)
    assert [sku for sku, _ in insights.score(0)] == [first.sku, second.sku]
    assert insights.shelf_plan(0) == {first.sku: [second.sku], second.sku: [first.sku]}
    assert insights.parse_feed(0) == {"units": {first.sku: 0, second.sku: 36}, "rejected": []}
    models.PageView.objects.create(sku=first.sku, channel="web")
    assert insights.any_retired(0) is False
