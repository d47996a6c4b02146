from customers.models import Address
from customers.services import STATEMENT_SIZE, account_statement
from orders.models import Order, ShopSettings


def test_detail(api, shop):
    customer = shop.customer(name="Eva Fuchs", tier="gold")
    Address.objects.create(customer=customer, street="Kiel street 1", city="Kiel", postcode="24103")
    shop.order(customer)
    detail = api.get(f"/customers/{customer.pk}/")
    assert (detail["name"], detail["tier"], detail["orders"]) == ("Eva Fuchs", "gold", 1)
    assert [a["city"] for a in detail["addresses"]] == ["Kiel"]


def test_unknown_customer(client, db):
    assert client.get("/customers/77/").status_code == 404


def test_statement_charges_shipping_below_the_limit(shop):
    customer = shop.customer()
    shop.order(customer, net_cents=4999)
    shop.order(customer, net_cents=5000)
    free, charged = account_statement(customer)["entries"]
    assert (free["shipping"], charged["shipping"]) == ("0.00", "4.90")


def test_statement_adds_up_points(shop):
    customer = shop.customer()
    shop.order(customer, net_cents=1050)
    shop.order(customer, net_cents=299)
    statement = account_statement(customer)
    assert [entry["points"] for entry in statement["entries"]] == [4, 20]
    assert statement["points"] == 24


def test_statement_doubles_points_for_gold(shop):
    customer = shop.customer(tier="gold")
    shop.order(customer, net_cents=1000)
    assert account_statement(customer)["points"] == 40


def test_statement_follows_the_shop_settings(shop):
    ShopSettings.objects.filter(pk=1).update(currency="SEK", points_per_euro=5, shipping_cents=100)
    customer = shop.customer()
    shop.order(customer, net_cents=1000)
    entry = account_statement(customer)["entries"][0]
    assert (entry["currency"], entry["points"], entry["shipping"]) == ("SEK", 50, "1.00")
    ShopSettings.objects.filter(pk=1).update(points_per_euro=7)
    assert account_statement(customer)["points"] == 70


def test_statement_leaves_out_cancelled_orders(shop):
    customer = shop.customer()
    shop.order(customer, net_cents=1000, status=Order.CANCELLED)
    assert account_statement(customer) == {"customer": customer.pk, "entries": [], "points": 0}


def test_statement_is_limited_to_the_last_orders(shop):
    customer = shop.customer()
    orders = [shop.order(customer, net_cents=100) for _ in range(STATEMENT_SIZE + 1)]
    entries = account_statement(customer)["entries"]
    assert [entry["number"] for entry in entries] == [o.number for o in reversed(orders[1:])]


def test_statement_endpoint(api, shop):
    customer = shop.customer()
    shop.order(customer, net_cents=1000)
    assert api.get(f"/customers/{customer.pk}/statement/")["points"] == 20
