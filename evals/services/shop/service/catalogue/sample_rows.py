"""Rows of a plausible shop: a few customers, products and suppliers account for most of the volume.

Every function yields tuples in the order of the columns named in generate_data; the same seed gives the same rows.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate

REFERENCE_DATE = datetime(2026, 11, 1, tzinfo=UTC)

FIRST_NAMES = "Ada Ben Cleo Dan Eva Finn Gina Hugo Ida Jon Kim Lea Max Nora Omar Pia Quinn Rosa Sam Tess".split()
LAST_NAMES = "Abel Berg Costa Dahl Engel Fuchs Grant Haas Ivers Jung Koch Lund Meyer Nowak Olsen Petit".split()
CITIES = "Aachen Bremen Cork Dresden Essen Fulda Gent Halle Ipswich Jena Kiel Lyon Malmo Namur".split()
COUNTRIES = ("DE", "FR", "NL", "SE", "AT", "BE", "DK", "PL")
MATERIALS = "oak steel linen wool glass copper bamboo ceramic cotton cork felt marble".split()
THINGS = "lamp chair kettle bowl blanket shelf vase tray stool mirror clock basket rug jug pan board".split()
WORDS = "good sturdy quick arrived late lovely colour as described would buy again gift box small large".split()


MOVEMENT_NOTES = {
    "sale": "picked by the storefront, aisle and bin as planned",
    "receipt": "delivered by the supplier, counted at the dock",
    "return": "sent back by the customer, checked and repacked",
    "adjustment": "corrected after the yearly count of the shelves",
}
PREFERENCES = json.dumps({"newsletter": "weekly", "sizes": ["M", "L"], "theme": "light"})


def sku(n):
    return f"SKU-{n:05d}"


def slug(n):
    return f"p-{n:05d}"


class Skewed:
    """Draws 1..size, number k with a weight of 1 / k ** exponent (Zipf)."""

    def __init__(self, rng, size, exponent):
        self.rng = rng
        self.population = range(1, size + 1)
        self.cumulative = list(accumulate(1 / k**exponent for k in self.population))

    def draw(self, count):
        return self.rng.choices(self.population, cum_weights=self.cumulative, k=count)


def customers(rng, count):
    for n in range(1, count + 1):
        name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
        joined = REFERENCE_DATE - timedelta(days=30 + (count - n) % 1500)
        tier = "gold" if n % 9 == 1 else "basic"
        country = rng.choice(COUNTRIES)
        seen = REFERENCE_DATE - timedelta(hours=n)
        phone = f"+49 30 {rng.randint(100000, 999999)}"
        yield n, f"customer{n}@example.com", name, country, tier, phone, "en", PREFERENCES, n % 3 == 0, joined, seen


def addresses(rng, count):
    for n in range(1, count + 1):
        street = f"{rng.choice(LAST_NAMES)} street {rng.randint(1, 140)}"
        yield n, n, street, rng.choice(CITIES), f"{rng.randint(10000, 99999)}", True


def categories():
    for n in range(1, 41):
        material = MATERIALS[n % len(MATERIALS)]
        name = f"{material.title()} {n}"
        text = f"Everything made of {material}."
        names = json.dumps({language: f"{name} ({language})" for language in ("de", "fr", "nl", "sv", "pl")})
        image = f"https://cdn.example.com/categories/{n}.webp"
        google = f"Home & Garden > {material.title()}"
        yield (
            n, name, f"category-{n}", text, n, name, text, image, google, names, "7.50", True,
            REFERENCE_DATE - timedelta(days=900), REFERENCE_DATE - timedelta(days=n),
        )  # fmt: skip


def brands():
    for n in range(1, 61):
        yield n, f"Brand {n}", f"brand-{n}"


def products(rng, count):
    categories_of = Skewed(rng, 40, 0.7).draw(count)
    for n in range(1, count + 1):
        name = f"{rng.choice(MATERIALS).title()} {rng.choice(THINGS)} {n}"
        text = " ".join(rng.choices(WORDS, k=25))
        category = None if n % 97 == 0 else categories_of[n - 1]
        status = "retired" if n % 25 == 24 else "active"
        created = REFERENCE_DATE - timedelta(days=rng.randint(10, 1000))
        cents = rng.randint(300, 25000)
        yield n, sku(n), slug(n), name, text, category, 1 + n % 60, cents, status, 2 * count - n, created


def orders(rng, count, customer_count):
    """Also says how many lines the order gets, as the last element."""
    buyers = Skewed(rng, customer_count, 0.85).draw(count)
    step = timedelta(days=700) / count
    for n, buyer in enumerate(buyers, start=1):
        placed = REFERENCE_DATE - timedelta(days=700) + n * step
        status = rng.choices(("delivered", "shipped", "cancelled"), weights=(90, 6, 4))[0]
        yield n, f"S{n:08d}", buyer, status, rng.randint(900, 30000), placed, rng.choice((1, 1, 1, 2, 2, 3))


def order_lines(rng, line_counts, product_count):
    total = sum(line_counts)
    articles = Skewed(rng, product_count, 0.8).draw(total)
    line = 0
    for order, lines in enumerate(line_counts, start=1):
        for _ in range(lines):
            article = articles[line]
            line += 1
            cents = 300 + article * 37 % 24000
            yield line, order, article, sku(article), rng.randint(1, 4), cents, 19, line % 11 == 0, ""


def reviews(rng, count, product_count, customer_count):
    articles = Skewed(rng, product_count, 0.9).draw(count)
    for n, article in enumerate(articles, start=1):
        author = None if n % 50 == 0 else rng.randint(1, customer_count)
        body = " ".join(rng.choices(WORDS, k=rng.randint(6, 30)))
        status = "pending" if n % 60 == 0 else "published"
        created = REFERENCE_DATE - timedelta(minutes=(count - n) * 12, seconds=n % 60)
        yield n, article, author, rng.choice((1, 3, 4, 4, 5, 5, 5)), body[:24], body, status, created


def stock_levels(rng, product_count):
    for n in range(1, product_count + 1):
        yield n, sku(n), 200_000 // (n + 20) + rng.randint(200, 900), 0


def stock_movements(rng, count, product_count):
    articles = Skewed(rng, product_count, 0.9).draw(count)
    kinds = rng.choices(("sale", "receipt", "return", "adjustment"), weights=(70, 15, 10, 5), k=count)
    step = timedelta(days=700) / count
    start = REFERENCE_DATE - timedelta(days=700)
    for n in range(1, count + 1):
        kind = kinds[n - 1]
        quantity = -(n % 4) - 1 if kind == "sale" else n % 40 + 1
        reference = f"{kind[:3].upper()}{n:08d}"
        note = MOVEMENT_NOTES[kind]
        yield n, sku(articles[n - 1]), kind, quantity, reference, "main", note, start + n * step


def product_views(rng, count, product_count, customer_count):
    articles = Skewed(rng, product_count, 0.4).draw(count)
    visitors = Skewed(rng, customer_count, 0.7).draw(count)
    channels = rng.choices(("web", "app", "store"), weights=(6, 3, 1), k=count)
    step = timedelta(days=90) / count
    for n in range(1, count + 1):
        viewed = REFERENCE_DATE - timedelta(days=90) + n * step
        yield n, visitors[n - 1], channels[n - 1], sku(articles[n - 1]), viewed


def promotion_rules():
    for n in range(1, 41):
        yield n, 2000 * n, n % 5, ",".join(COUNTRIES[: 1 + n % 8])


def promotions():
    for n in range(1, 41):
        yield n, f"CODE{n:02d}", f"Offer {n}", n, 100 + 25 * n, True, n


def flash_sales():
    for n in range(1, 13):
        start = REFERENCE_DATE - timedelta(days=30 * n)
        yield n, f"Sale {n}", 5 + n, start, start + timedelta(days=7)
    yield 13, "Autumn price", 4, REFERENCE_DATE - timedelta(days=30), REFERENCE_DATE + timedelta(days=3650)


def delivery_slots():
    for n in range(1, 41):
        region = ("north", "south", "east", "west")[n % 4]
        status = "closed" if n % 5 == 0 else "open"
        yield n, region, status, REFERENCE_DATE + timedelta(hours=4 * n), 400, n % 30


def supplier_feeds(rng, lines, product_count):
    for n in range(1, 9):
        rows = [f"# stock list {n}", ""]
        for _ in range(lines):
            price = f"{rng.choice(('EUR', 'SEK'))} {rng.randint(1, 90)}.{rng.randint(0, 99):02d}"
            quantity = "n/a" if rng.random() < 0.002 else str(rng.randint(0, 400))
            rows.append(f"{sku(rng.randint(1, product_count))};{quantity};{price}")
        yield n, f"Supplier {n}", REFERENCE_DATE - timedelta(days=n), "\n".join(rows)


def generator(seed, name):
    """An own random source for each table, so that one table's size does not change another's rows."""
    return random.Random(f"{seed}:{name}")
