"""A small database with the same rows every time."""

import random
from datetime import UTC, datetime, timedelta

from django.core.management.base import BaseCommand
from django.db import transaction

from shelf import models

PRODUCTS, CUSTOMERS, ORDERS, REVIEWS, VIEWS = 640, 40, 900, 2400, 9000
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Command(BaseCommand):
    help = __doc__

    @transaction.atomic
    def handle(self, *args, **options):
        rng = random.Random(1)
        models.ShopSettings.objects.create(pk=1)
        categories = models.Category.objects.bulk_create(
            [models.Category(name=f"Category {n}", position=n) for n in range(25)]
        )
        tags = models.Tag.objects.bulk_create([models.Tag(name=f"tag {n}") for n in range(40)])
        products = models.Product.objects.bulk_create([product(n, rng, categories) for n in range(PRODUCTS)])
        through = models.Product.tags.through
        through.objects.bulk_create(
            [through(product=p, tag=t) for p in products for t in rng.sample(tags, rng.randrange(5))]
        )
        customers = models.Customer.objects.bulk_create(
            [models.Customer(name=f"Ada {n}", email=f"c{n}@example.org", is_gold=n % 5 == 0) for n in range(CUSTOMERS)]
        )
        orders(rng, customers, products)
        models.Review.objects.bulk_create([review(rng, products, customers) for _ in range(REVIEWS)])
        skus = [p.sku for p in products if p.status == models.Product.ACTIVE]
        channels = [f"ch{n}" for n in range(14)]
        models.PageView.objects.bulk_create(
            [models.PageView(sku=rng.choice(skus), channel=rng.choice(channels)) for _ in range(VIEWS)]
        )


def product(number, rng, categories):
    return models.Product(
        sku=f"SKU-{number:05d}",
        name=f"Oak lamp {number}",
        description="A lamp of oiled oak with a shade of linen. " * 200,
        category=None if number % 17 == 0 else rng.choice(categories),
        price_cents=rng.randrange(300, 90000),
        weight_kg=rng.random() * 10,
        status=models.Product.RETIRED if number % 11 == 0 else models.Product.ACTIVE,
        popularity=rng.randrange(500),
    )


def orders(rng, customers, products):
    made = models.Order.objects.bulk_create(
        [
            models.Order(
                number=f"S{n:06d}",
                customer=customers[n % CUSTOMERS],
                status=models.Order.CANCELLED if n % 13 == 0 else models.Order.PLACED,
                placed_at=START + timedelta(minutes=n),
            )
            for n in range(ORDERS)
        ]
    )
    models.OrderLine.objects.bulk_create(
        [
            models.OrderLine(order=o, product=p, quantity=rng.randrange(1, 5), unit_cents=p.price_cents)
            for o in made
            for p in rng.sample(products, rng.randrange(0, 5))
        ]
    )


def review(rng, products, customers):
    customer = None if rng.random() < 0.1 else rng.choice(customers)
    return models.Review(product=rng.choice(products), customer=customer, rating=rng.randrange(1, 6), body="as described")
