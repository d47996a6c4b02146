from datetime import datetime
from itertools import islice

from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connection, transaction

from catalogue import sample_rows
from catalogue.models import Brand, Category, Product
from customers.models import Address, Customer
from inventory.models import DeliverySlot, StockLevel, StockMovement, SupplierFeed
from orders.models import Order, OrderLine, ShopSettings
from promotions.models import FlashSale, Promotion, PromotionBudget, PromotionRule, Redemption
from recommendations.models import ProductView
from reviews.models import Review

BATCH = 20_000

# children before parents: the order in which --force empties them
TABLES = (
    ProductView,
    SupplierFeed,
    DeliverySlot,
    StockMovement,
    StockLevel,
    FlashSale,
    Redemption,
    Promotion,
    PromotionRule,
    Review,
    OrderLine,
    Order,
    Product,
    Brand,
    Category,
    Address,
    Customer,
)


class Command(BaseCommand):
    help = "Fill an empty database with a reproducible shop."

    def add_arguments(self, parser):
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--scale", type=float, default=1.0, help="1.0 is about half a million rows")
        parser.add_argument("--force", action="store_true", help="empty the tables first")

    def handle(self, *, seed, scale, force, **options):
        if not 0 < scale <= 10:
            raise CommandError("--scale must be above 0 and at most 10")
        if not force and (Customer.objects.exists() or Product.objects.exists()):
            raise CommandError("the database is not empty: use --force to replace what is there")
        with transaction.atomic():
            if force:
                for model in TABLES:
                    model.objects.all().delete()
            total = self.fill(seed, scale)
            self.reset_sequences()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(f"{total} rows")

    def fill(self, seed, scale):
        def size(count, at_least=20):
            return max(at_least, round(count * scale))

        def rng(name):
            return sample_rows.generator(seed, name)

        people, articles = size(5_000), size(4_000, at_least=100)
        order_rows = list(sample_rows.orders(rng("orders"), size(36_000), people))
        total = 0
        for model, columns, rows in (
            (
                Customer,
                "id email name country tier phone language preferences accepts_marketing joined_at last_seen_at",
                sample_rows.customers(rng("customers"), people),
            ),
            (Address, "id customer_id street city postcode is_default", sample_rows.addresses(rng("addr"), people)),
            (
                Category,
                "id name slug description position seo_title seo_description image_url google_category"
                " translations commission_percent is_visible created_at updated_at",
                sample_rows.categories(),
            ),
            (Brand, "id name slug", sample_rows.brands()),
            (
                Product,
                "id sku slug name description category_id brand_id price_cents status popularity created_at",
                sample_rows.products(rng("products"), articles),
            ),
            (Order, "id number customer_id status net_cents placed_at", (row[:-1] for row in order_rows)),
            (
                OrderLine,
                "id order_id product_id sku quantity unit_cents tax_percent gift_wrap note",
                sample_rows.order_lines(rng("lines"), [row[-1] for row in order_rows], articles),
            ),
            (
                Review,
                "id product_id customer_id rating title body status created_at",
                sample_rows.reviews(rng("reviews"), size(30_000), articles, people),
            ),
            (StockLevel, "id sku on_hand reserved", sample_rows.stock_levels(rng("levels"), articles)),
            (
                StockMovement,
                "id sku kind quantity reference warehouse note occurred_at",
                sample_rows.stock_movements(rng("movements"), size(320_000), articles),
            ),
            (
                ProductView,
                "id customer_id channel sku viewed_at",
                sample_rows.product_views(rng("views"), size(60_000), articles, people),
            ),
            (PromotionRule, "id min_cents min_items countries", sample_rows.promotion_rules()),
            (Promotion, "id code title rule_id value_cents active priority", sample_rows.promotions()),
            (FlashSale, "id title percent_off starts_at ends_at", sample_rows.flash_sales()),
            (DeliverySlot, "id region status starts_at capacity booked", sample_rows.delivery_slots()),
            (
                SupplierFeed,
                "id supplier received_at body",
                sample_rows.supplier_feeds(rng("feeds"), size(6_000), articles),
            ),
        ):
            total += self.insert(model, columns.split(), rows)
        ShopSettings.objects.get_or_create(pk=1)
        PromotionBudget.objects.update_or_create(pk=1, defaults={"remaining_cents": 50_000_000})
        return total

    def insert(self, model, columns, rows):
        table = connection.ops.quote_name(model._meta.db_table)
        names = ", ".join(connection.ops.quote_name(c) for c in columns)
        statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
        adapted = (tuple(map(adapt, row)) for row in rows)
        count = 0
        with connection.cursor() as cursor:
            while batch := list(islice(adapted, BATCH)):
                cursor.executemany(statement, batch)
                count += len(batch)
        self.stdout.write(f"{model._meta.label}: {count}")
        return count

    def reset_sequences(self):
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), TABLES):
                cursor.execute(statement)


def adapt(value):
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
