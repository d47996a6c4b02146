import pytest
from django.core.management import CommandError, call_command

from catalogue.models import Product
from customers.models import Customer
from orders.models import Order
from shop import database


def test_healthz(api):
    assert api.get("/healthz") == {"ok": True}


def test_request_id_is_kept_or_made(client, db):
    assert client.get("/healthz", headers={"X-Request-Id": "abc"})["X-Request-Id"] == "abc"
    assert len(client.get("/healthz")["X-Request-Id"]) == 32


def test_staff_token_must_match(client, db):
    assert client.get("/reviews/moderation/", headers={"X-Staff-Token": "wrong"}).status_code == 403


@pytest.mark.parametrize("url", ["sqlite:///srv/shop.sqlite3", "sqlite:////srv/shop.sqlite3"])
def test_sqlite_url(url):
    assert database.parse(url)["NAME"] == "/srv/shop.sqlite3"


def test_postgres_url():
    found = database.parse("postgres://shop:p%40ss@db.internal:5433/store")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "shop", "p@ss", "db.internal", "5433", "store",
    )  # fmt: skip


def test_unknown_database_url():
    with pytest.raises(ValueError, match="mysql"):
        database.parse("mysql://x/y")


def test_generated_data_can_be_browsed(api, staff):
    call_command("generate_data", seed=3, scale=0.002, verbosity=0)
    assert len(api.get("/products/")["items"]) == 60
    assert api.get("/customers/1/orders/")["orders"]
    assert api.get("/trending/web/")["skus"]
    assert staff.get("/inventory/feeds/1/")["articles"] > 0


def test_generate_data_refuses_a_used_database(shop):
    shop.product()
    with pytest.raises(CommandError, match="not empty"):
        call_command("generate_data", scale=0.002)
    call_command("generate_data", scale=0.002, force=True)
    assert Product.objects.count() == 100


def test_rows_can_be_added_after_the_generated_ones(shop):
    call_command("generate_data", scale=0.002)
    customer = shop.customer(email="new@example.com")
    assert shop.order(customer, number="N1").pk == Order.objects.count()
    assert customer.pk == Customer.objects.count()
