from datetime import timedelta

import pytest

from inventory.models import DeliverySlot, StockLevel, StockMovement
from orders.models import Order, OrderLine
from orders.services import HISTORY_SIZE, OrderRefused, order_history, place_order
from tests.conftest import START


def test_history_adds_up_the_lines_of_each_order(shop):
    customer, lamp, rug = shop.customer(), shop.product(), shop.product()
    shop.order(customer, (lamp, 2, 1000), (rug, 1, 550))
    shop.order(customer, (rug, 3, 500))
    newest, oldest = order_history(customer)
    assert (newest["units"], newest["value"]) == (3, "15.00")
    assert (oldest["units"], oldest["value"]) == (3, "25.50")
    assert oldest["skus"] == sorted([lamp.sku, rug.sku])


def test_history_keeps_an_order_without_lines(shop):
    customer = shop.customer()
    shop.order(customer)
    assert order_history(customer)[0]["units"] == 0
    assert order_history(customer)[0]["skus"] == []


def test_history_lists_an_article_as_often_as_it_has_lines(shop):
    customer, lamp = shop.customer(), shop.product()
    shop.order(customer, (lamp, 1, 100), (lamp, 2, 90))
    assert order_history(customer)[0]["skus"] == [lamp.sku, lamp.sku]
    assert order_history(customer)[0]["value"] == "2.80"


def test_history_does_not_mix_customers(shop):
    mine, other, lamp = shop.customer(), shop.customer(), shop.product()
    shop.order(other, (lamp, 5, 100))
    order = shop.order(mine, (lamp, 1, 100))
    assert [row["number"] for row in order_history(mine)] == [order.number]


def test_history_pages(shop):
    customer, lamp = shop.customer(), shop.product()
    orders = [shop.order(customer, (lamp, 1, 100)) for _ in range(HISTORY_SIZE + 2)]
    numbers = [order.number for order in reversed(orders)]
    assert [row["number"] for row in order_history(customer)] == numbers[:HISTORY_SIZE]
    assert [row["number"] for row in order_history(customer, 2)] == numbers[HISTORY_SIZE:]


def test_history_of_a_new_customer_is_empty(api, shop):
    customer = shop.customer()
    assert api.get(f"/customers/{customer.pk}/orders/") == {"customer": customer.pk, "page": 1, "orders": []}


def test_history_shows_new_lines_when_asked_again(shop):
    customer, lamp = shop.customer(), shop.product()
    order = shop.order(customer, (lamp, 1, 100))
    assert order_history(customer)[0]["units"] == 1
    OrderLine.objects.create(order=order, product=lamp, sku=lamp.sku, quantity=4, unit_cents=100)
    assert order_history(customer)[0]["units"] == 5


def test_order_detail(api, shop):
    customer, lamp = shop.customer(name="Max Dahl"), shop.product(name="Lamp")
    order = shop.order(customer, (lamp, 2, 450), net_cents=900)
    detail = api.get(f"/orders/{order.number}/")
    assert detail["customer"] == "Max Dahl"
    assert detail["lines"] == [{"sku": lamp.sku, "name": "Lamp", "quantity": 2, "total": "9.00"}]


def test_order_detail_of_an_unknown_number(client, db):
    assert client.get("/orders/S1/").status_code == 404


def test_place_order_reserves_and_writes_lines(shop):
    customer, lamp, rug = shop.customer(), shop.product(stock=5, price_cents=700), shop.product(stock=5)
    order = place_order(customer, [(lamp.sku, 2), (rug.sku, 1)])
    assert order.net_cents == 2 * 700 + 1000
    assert StockLevel.objects.get(sku=lamp.sku).reserved == 2
    assert StockLevel.objects.get(sku=rug.sku).reserved == 1
    assert order.lines.count() == 2


def test_place_order_writes_a_movement_for_each_item(shop):
    lamp = shop.product()
    order = place_order(shop.customer(), [(lamp.sku, 3)])
    movement = StockMovement.objects.get()
    assert (movement.sku, movement.kind, movement.quantity) == (lamp.sku, "sale", -3)
    assert movement.reference == order.number


def test_place_order_with_the_same_article_twice_reserves_both(shop):
    lamp = shop.product(stock=5)
    place_order(shop.customer(), [(lamp.sku, 2), (lamp.sku, 3)])
    assert StockLevel.objects.get(sku=lamp.sku).reserved == 5


def test_place_order_counts_what_an_earlier_item_took(shop):
    lamp = shop.product(stock=4)
    with pytest.raises(OrderRefused, match="only 2 left"):
        place_order(shop.customer(), [(lamp.sku, 2), (lamp.sku, 3)])


def test_refused_order_leaves_nothing_behind(shop):
    lamp, rug = shop.product(stock=5), shop.product(stock=0)
    with pytest.raises(OrderRefused):
        place_order(shop.customer(), [(lamp.sku, 1), (rug.sku, 1)])
    assert not Order.objects.exists() and not StockMovement.objects.exists()
    assert StockLevel.objects.get(sku=lamp.sku).reserved == 0


def test_place_order_refuses_a_retired_article(shop):
    lamp = shop.product(status="retired")
    with pytest.raises(OrderRefused, match="not sold"):
        place_order(shop.customer(), [(lamp.sku, 1)])


def test_place_order_books_the_slot(shop):
    slot = DeliverySlot.objects.create(region="north", starts_at=START)
    place_order(shop.customer(), [(shop.product().sku, 1)], slot.pk)
    slot.refresh_from_db()
    assert slot.booked == 1


def test_post_order(api, shop):
    customer, lamp = shop.customer(), shop.product(price_cents=250)
    body = {"customer": customer.pk, "items": [{"sku": lamp.sku, "quantity": 2}]}
    answer = api.post("/orders/", body, status=201)
    assert answer["net_cents"] == 500
    assert api.get(f"/orders/{answer['number']}/")["status"] == "placed"


def test_post_order_out_of_stock(api, shop):
    customer, lamp = shop.customer(), shop.product(stock=1)
    body = {"customer": customer.pk, "items": [{"sku": lamp.sku, "quantity": 2}]}
    assert api.post("/orders/", body, status=409)["error"] == f"{lamp.sku}: only 1 left"


@pytest.mark.parametrize(
    "items", [[], "x", [{"sku": "a"}], [{"sku": "a", "quantity": 0}], [{"sku": 1, "quantity": 1}], ["a"]]
)
def test_post_order_refuses_bad_items(api, shop, items):
    api.post("/orders/", {"customer": shop.customer().pk, "items": items}, status=400)


def test_post_order_refuses_broken_json(api):
    assert "JSON" in api.post("/orders/", "{", status=400)["error"]


def test_turnover_report(staff, shop):
    lamps, rugs = shop.category("Lamps"), shop.category("Rugs")
    lamp, rug = shop.product(category=lamps), shop.product(category=rugs)
    customer = shop.customer()
    shop.order(customer, (lamp, 2, 300), (rug, 1, 50), placed_at=START)
    shop.order(customer, (lamp, 1, 300), placed_at=START + timedelta(days=1))
    shop.order(customer, (lamp, 1, 300), placed_at=START + timedelta(days=9))
    report = staff.get("/reports/turnover/?day=2026-03-03")["report"]
    cents = {row["category"]: [day["cents"] for day in row["days"]] for row in report}
    assert cents == {lamps.slug: [0, 0, 0, 0, 0, 600, 300], rugs.slug: [0, 0, 0, 0, 0, 50, 0]}


def test_turnover_report_needs_a_date(staff):
    staff.get("/reports/turnover/?day=tomorrow", status=400)
