import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from catalogue.models import Brand, Category, Product
from customers.models import Customer
from inventory.models import StockLevel
from orders.models import Order, OrderLine
from reviews.models import Review

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Shop:
    """Makes rows with sensible defaults; every call makes a new one."""

    def __init__(self):
        self.numbers = count(1)

    def category(self, name="Lamps"):
        n = next(self.numbers)
        return Category.objects.create(name=name, slug=f"category-{n}", position=n, created_at=START, updated_at=START)

    def brand(self):
        n = next(self.numbers)
        return Brand.objects.create(name=f"Brand {n}", slug=f"brand-{n}")

    def product(self, stock=10, **values):
        n = next(self.numbers)
        if "category" not in values:
            values["category"] = self.category()
        if "brand" not in values:
            values["brand"] = self.brand()
        defaults = {"sku": f"SKU-{n:05d}", "slug": f"p-{n:05d}", "name": f"Oak lamp {n}", "price_cents": 1000}
        product = Product.objects.create(**{**defaults, "created_at": START, **values})
        StockLevel.objects.create(sku=product.sku, on_hand=stock)
        return product

    def customer(self, **values):
        n = next(self.numbers)
        defaults = {"email": f"c{n}@example.com", "name": f"Ada Berg{n}", "joined_at": START}
        return Customer.objects.create(**{**defaults, **values})

    def order(self, customer, *lines, **values):
        """lines: (product, quantity, unit_cents)."""
        n = next(self.numbers)
        defaults = {"number": f"S{n:08d}", "placed_at": START + timedelta(hours=n), "status": Order.DELIVERED}
        order = Order.objects.create(customer=customer, **{**defaults, **values})
        for product, quantity, cents in lines:
            OrderLine.objects.create(order=order, product=product, sku=product.sku, quantity=quantity, unit_cents=cents)
        return order

    def review(self, product, customer, **values):
        n = next(self.numbers)
        defaults = {"rating": 4, "title": "Fine", "body": "as described", "status": Review.PUBLISHED}
        return Review.objects.create(
            product=product, customer=customer, **{**defaults, "created_at": START + timedelta(hours=n), **values}
        )


class Api:
    """A Django test client that speaks JSON."""

    def __init__(self, client, headers=None):
        self.client = client
        self.headers = headers or {}

    def get(self, path, status=200):
        return self.answer(self.client.get(path, headers=self.headers), status)

    def post(self, path, body, status=200):
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.client.post(path, text, content_type="application/json", headers=self.headers)
        return self.answer(answer, status)

    def answer(self, response, status):
        assert response.status_code == status, response.content
        return json.loads(response.content)


@pytest.fixture
def shop(db):
    return Shop()


@pytest.fixture
def api(client, db):
    return Api(client)


@pytest.fixture
def staff(client, db):
    return Api(client, {"X-Staff-Token": "staff-local"})
