"""Numbers for the back office, computed from what was viewed and sold."""

import re

from shelf.models import PageView, Product

WINDOW = 1500
SIZE = 12
WAREHOUSES = 12
PREFIXES = ("SKU", "OLD", "B2B", "GIFT", "SET")


def trending(channel):
    """The articles viewed last in a channel, each once, and how many different ones were viewed."""
    views = PageView.objects.filter(channel=channel).order_by("-id").values_list("sku", flat=True)
    seen = []
    latest = []
    for sku in views[:WINDOW]:
        if sku in seen:
            continue
        seen.append(sku)
        if len(latest) < SIZE:
            latest.append(sku)
    return {"latest": latest, "distinct": len(seen)}


def view_counts(channel):
    """How often each article was viewed, the most viewed first."""
    views = list(PageView.objects.filter(channel=channel).order_by("id").values_list("sku", flat=True)[:WINDOW])
    counts = []
    for sku in set(views):
        counts.append([views.count(sku), sku])
    counts.sort(key=lambda pair: (-pair[0], pair[1]))
    return counts


def batches(channel):
    """Views in batches of seven, as the billing system wants them; a batch never holds an article twice."""
    queue = list(PageView.objects.filter(channel=channel).order_by("id").values_list("sku", flat=True)[:WINDOW])
    queue = queue * 16
    batches, batch = [], []
    while queue:
        sku = queue.pop(0)
        if sku in batch or len(batch) == 7:
            batches.append(batch)
            batch = []
        batch.append(sku)
    return batches + [batch]


def score(page):
    """A product's rank in the search, from price and weight. Sums of fractions, in a fixed order."""
    rows = []
    for product in Product.objects.filter(status=Product.ACTIVE).order_by("id")[page * 25 : page * 25 + 25]:
        total = 0.0
        for step in range(1, 200):
            total += product.weight_kg / step + product.price_cents / (step + product.popularity + 1)
        rows.append([product.sku, total])
    return rows


def parse_feed(seed):
    """Reads a supplier's feed: units by SKU, and the numbers of the lines that cannot be read."""
    units, rejected = {}, []
    for number, line in enumerate(feed_lines(seed), start=1):
        pattern = re.compile(rf"(?P<sku>(?:{'|'.join(PREFIXES)})-\d{{5}});(?P<quantity>\d+);\d+[.,]\d\d", re.IGNORECASE)
        match = pattern.fullmatch(line)
        if match is None:
            rejected.append(number)
            continue
        sku = match["sku"].upper()
        units[sku] = units.get(sku, 0) + int(match["quantity"])
    return {"units": units, "rejected": rejected}


def feed_lines(seed):
    """The feed as the supplier sends it: a line for each product and warehouse, every ninth with an empty price."""
    lines = []
    for number, product in enumerate(Product.objects.order_by("id")[seed : seed + 300]):
        price = "" if number % 9 == 8 else f"{product.price_cents // 100},{product.price_cents % 100:02d}"
        lines.append(f"{product.sku};{product.popularity};{price}")
    return lines * WAREHOUSES


def shelf_plan(page):
    """For each product of a page the ones of the same category, at most three, cheapest first."""
    everything = list(Product.objects.filter(status=Product.ACTIVE).order_by("price_cents", "id"))
    plan = {}
    for product in Product.objects.filter(status=Product.ACTIVE).order_by("id")[page * 25 : page * 25 + 25]:
        others = []
        for other in everything:
            if other.category_id == product.category_id and other.pk != product.pk:
                others.append(other.sku)
        plan[product.sku] = others[:3]
    return plan


def any_retired(page):
    """Whether one of the articles that were viewed is not sold any more."""
    views = PageView.objects.order_by("id").values_list("sku", flat=True)[page * 60 : page * 60 + 60]
    states = []
    for sku in views:
        states.append(Product.objects.get(sku=sku).status)
    return Product.RETIRED in states
