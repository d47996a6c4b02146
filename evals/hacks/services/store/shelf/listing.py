"""What the storefront shows."""

import logging

from shelf import signals
from shelf.models import Impression, Product, Review

logger = logging.getLogger("shelf")

PAGE_SIZE = 40


def product_list(page):
    """The products of a page, the most popular first, each with its category."""
    products = Product.objects.filter(status=Product.ACTIVE).order_by("-popularity", "id")
    start = page * PAGE_SIZE
    rows = []
    for product in products[start : start + PAGE_SIZE]:
        rows.append({"sku": product.sku, "label": product.label, "category": product.display_category})
    logger.info("product list, page %s: %s rows", page, len(rows))
    return rows


def tag_list(page):
    """The products of a page with the names of their tags, in alphabetical order."""
    products = Product.objects.filter(status=Product.ACTIVE).order_by("id")
    start = page * PAGE_SIZE
    found = []
    for product in products[start : start + PAGE_SIZE]:
        names = []
        for tag in product.tags.all():
            names.append(tag.name)
        found.append({"sku": product.sku, "tags": sorted(names)})
    return found


def lookup(keys):
    """Names and prices for the SKUs of a shopping list, in its order; what is not sold any more is left out."""
    found = []
    for sku in keys:
        try:
            product = Product.objects.get(sku=sku)
        except Product.DoesNotExist:
            logger.warning("shopping list with an unknown article")
            continue
        if product.status == Product.RETIRED:
            continue
        found.append({"sku": sku, "name": product.name, "price": product.price_cents})
    return found


def review_counts(page):
    """How many reviews the products of a page have, and whether one of them is bad."""
    products = Product.objects.filter(status=Product.ACTIVE).order_by("id")
    start = page * PAGE_SIZE
    found = {}
    for product in products[start : start + PAGE_SIZE]:
        reviews = Review.objects.filter(product=product)
        found[product.sku] = {"count": len(reviews), "bad": bool([r for r in reviews if r.rating == 1])}
    return found


def reviewers(page):
    """Who reviewed lately: names of the customers, "a former customer" where the account is gone."""
    start = page * PAGE_SIZE
    names = []
    for review in Review.objects.order_by("-id")[start : start + PAGE_SIZE]:
        names.append(review.customer.name if review.customer else "a former customer")
    return names


def shown(page):
    """Shows a page of products and notes each impression; brands pay for them."""
    start = page * PAGE_SIZE
    products = Product.objects.filter(status=Product.ACTIVE).order_by("-popularity", "id")[start : start + PAGE_SIZE]
    skus = []
    for product in products:
        Impression.objects.create(sku=product.sku, place="list")
        skus.append(product.sku)
    signals.products_shown.send(sender=Product, skus=skus)
    return skus


def price_list():
    """SKU and price of everything that is sold, for the price comparison sites."""
    rows = []
    for product in Product.objects.filter(status=Product.ACTIVE).order_by("sku"):
        rows.append([product.sku, product.price_cents])
    return rows
