from datetime import timedelta

import pytest

from inventory.feeds import parse_feed
from inventory.models import DeliverySlot, StockLevel, StockMovement, SupplierFeed
from inventory.services import MOVEMENTS_SIZE, recent_movements
from tests.conftest import START


def movement(n, sku="SKU-00001", kind="sale"):
    return StockMovement.objects.create(
        sku=sku, kind=kind, quantity=n, reference=f"R{n}", occurred_at=START + timedelta(minutes=n)
    )


def test_movements_newest_first_of_one_article_and_kind(db):
    for n in range(3):
        movement(n)
    movement(9, sku="SKU-00002")
    movement(8, kind="return")
    assert [m.quantity for m in recent_movements("SKU-00001", "sale")] == [2, 1, 0]


def test_movements_are_ordered_by_time_not_by_entry(db):
    for n in (5, 1, 7, 3):
        movement(n)
    assert [m.quantity for m in recent_movements("SKU-00001", "sale")] == [7, 5, 3, 1]


def test_movements_are_limited(db):
    for n in range(MOVEMENTS_SIZE + 2):
        movement(n)
    newest = list(range(MOVEMENTS_SIZE + 1, 1, -1))
    assert [m.quantity for m in recent_movements("SKU-00001", "sale")] == newest


def test_movements_endpoint(staff, db):
    movement(4)
    answer = staff.get("/inventory/movements/?sku=SKU-00001&kind=sale")
    assert answer["movements"] == [{"quantity": 4, "reference": "R4", "at": "2026-03-01T12:04:00+00:00"}]
    assert staff.get("/inventory/movements/?sku=SKU-00001&kind=receipt")["movements"] == []


def test_movements_endpoint_refuses_an_unknown_kind(staff):
    assert "kind must be one of" in staff.get("/inventory/movements/?sku=a&kind=theft", status=400)["error"]


def test_movements_are_for_staff(api):
    api.get("/inventory/movements/?sku=a", status=403)


def test_stock_level(api, db):
    StockLevel.objects.create(sku="SKU-00001", on_hand=7, reserved=2)
    assert api.get("/inventory/stock/SKU-00001/") == {"sku": "SKU-00001", "available": 5}


def test_adjust(staff, db):
    StockLevel.objects.create(sku="SKU-00001", on_hand=7)
    body = {"sku": "SKU-00001", "quantity": -3, "reference": "count"}
    assert staff.post("/inventory/adjust/", body)["available"] == 4
    assert StockMovement.objects.get().kind == "adjustment"


def test_adjust_an_unknown_article(staff):
    staff.post("/inventory/adjust/", {"sku": "nope", "quantity": 1}, status=404)
    assert not StockMovement.objects.exists()


def test_slots_are_open_in_the_region_and_soonest_first(api, db):
    def slot(hours, region="north", status="open", booked=0):
        return DeliverySlot.objects.create(
            region=region, status=status, starts_at=START + timedelta(hours=hours), capacity=5, booked=booked
        )

    late, soon = slot(9), slot(1, booked=6)
    slot(2, region="south")
    slot(3, status="closed")
    slots = api.get("/delivery-slots/?region=north")["slots"]
    assert [(s["id"], s["free"]) for s in slots] == [(soon.pk, 0), (late.pk, 5)]


def test_feed_adds_up_articles():
    body = "SKU-00001;5;EUR 1.50\nSKU-00002;1;SEK 20.00\nSKU-00001;7;EUR 1.50"
    assert parse_feed(body) == ({"SKU-00001": 12, "SKU-00002": 1}, [])


def test_feed_skips_comments_and_blank_lines_but_counts_them():
    body = "# list\n\nSKU-00001;5;EUR 1.50\nbroken\n# SKU-00002;1;EUR 1.00"
    assert parse_feed(body) == ({"SKU-00001": 5}, [4])


@pytest.mark.parametrize(
    "line",
    [
        "SKU-0001;5;EUR 1.50",
        "SKU-00001;;EUR 1.50",
        "SKU-00001;5;USD 1.50",
        "SKU-00001;5;EUR 1.5",
        "XYZ-00001;5;EUR 1.50",
        "SKU-00001;5;EUR 1.50;",
        " SKU-00001;5;EUR 1.50",
        "SKU-00001;٣;EUR 1.50",
    ],
)
def test_feed_rejects(line):
    assert parse_feed(line) == ({}, [1])


def test_feed_reads_any_case_and_prefix():
    assert parse_feed("kit-00001;5;eur 1.50\nVAR-00002;1;GBP 9.99") == ({"kit-00001": 5, "VAR-00002": 1}, [])


def test_empty_feed():
    assert parse_feed("") == ({}, [])


def test_feed_endpoint(staff, db):
    feed = SupplierFeed.objects.create(supplier="Haas", received_at=START, body="SKU-00001;5;EUR 1.50\nx")
    assert staff.get(f"/inventory/feeds/{feed.pk}/") == {
        "supplier": "Haas",
        "articles": 1,
        "units": 5,
        "rejected_lines": [2],
    }
