import pytest

from catalogue.models import Product
from catalogue.serializers import format_price, serialize_product
from catalogue.views import PAGE_SIZE
from reviews.models import Review


def test_list_shows_active_products_by_popularity(api, shop):
    low = shop.product(popularity=1)
    high = shop.product(popularity=9)
    shop.product(popularity=5, status=Product.RETIRED)
    items = api.get("/products/")["items"]
    assert [item["slug"] for item in items] == [high.slug, low.slug]


def test_list_breaks_ties_by_age(api, shop):
    products = [shop.product(popularity=3) for _ in range(4)]
    assert [item["sku"] for item in api.get("/products/")["items"]] == [p.sku for p in products]


def test_list_names_the_category_of_each_product(api, shop):
    lamps, chairs = shop.category("Lamps"), shop.category("Chairs")
    shop.product(category=lamps, popularity=3)
    shop.product(category=chairs, popularity=2)
    shop.product(category=lamps, popularity=1)
    assert [i["category"] for i in api.get("/products/")["items"]] == ["Lamps", "Chairs", "Lamps"]


def test_list_keeps_products_without_a_category(api, shop):
    shop.product(category=None, popularity=2)
    shop.product(category=shop.category("Rugs"), popularity=1)
    assert [i["category"] for i in api.get("/products/")["items"]] == ["Uncategorised", "Rugs"]


def test_list_shows_a_product_after_its_category_is_gone(api, shop):
    category = shop.category()
    shop.product(category=category)
    category.delete()
    assert [i["category"] for i in api.get("/products/")["items"]] == ["Uncategorised"]


def test_list_filters_by_brand(api, shop):
    brand = shop.brand()
    wanted = shop.product(brand=brand)
    shop.product()
    items = api.get(f"/products/?brand={brand.slug}")["items"]
    assert [item["sku"] for item in items] == [wanted.sku]


def test_list_pages_without_gaps_or_repeats(api, shop):
    category, brand = shop.category(), shop.brand()
    expected = [shop.product(category=category, brand=brand).sku for _ in range(PAGE_SIZE + 3)]
    first, second = api.get("/products/?page=1"), api.get("/products/?page=2")
    assert len(first["items"]) == PAGE_SIZE
    assert [i["sku"] for i in first["items"] + second["items"]] == expected


def test_list_past_the_end_is_empty(api, shop):
    shop.product()
    assert api.get("/products/?page=7") == {"page": 7, "items": []}


@pytest.mark.parametrize("page", ["0", "-1", "x", "10001"])
def test_list_refuses_a_bad_page(api, page):
    assert "page must be" in api.get(f"/products/?page={page}", status=400)["error"]


def test_list_item_is_complete(api, shop):
    product = shop.product(price_cents=1205, name="Steel jug")
    assert api.get("/products/")["items"] == [
        {
            "sku": product.sku,
            "slug": product.slug,
            "name": "Steel jug",
            "price": "12.05",
            "category": "Lamps",
            "available": True,
        }
    ]


def test_list_refuses_post(client):
    assert client.post("/products/").status_code == 405


def test_serialized_retired_product_is_not_available(shop):
    assert serialize_product(shop.product(status=Product.RETIRED))["available"] is False


def test_detail_has_brand_and_rating_of_published_reviews(api, shop):
    product, customer = shop.product(), shop.customer()
    for rating in (5, 4, 4):
        shop.review(product, customer, rating=rating)
    shop.review(product, customer, rating=1, status=Review.PENDING)
    detail = api.get(f"/products/{product.slug}/")
    assert detail["rating"] == {"average": 4.33, "count": 3}
    assert detail["brand"] == product.brand.name


def test_detail_without_reviews_has_no_average(api, shop):
    assert api.get(f"/products/{shop.product().slug}/")["rating"] == {"average": None, "count": 0}


def test_detail_of_an_unknown_product(client, db):
    assert client.get("/products/p-99999/").status_code == 404


def test_categories_count_active_products(api, shop):
    category = shop.category("Bowls")
    shop.product(category=category)
    shop.product(category=category, status=Product.RETIRED)
    assert api.get("/categories/")["categories"] == [{"slug": category.slug, "name": "Bowls", "products": 1}]


def test_category_shows_only_its_products(api, shop):
    category = shop.category()
    mine = shop.product(category=category)
    shop.product()
    assert [i["sku"] for i in api.get(f"/categories/{category.slug}/")["items"]] == [mine.sku]


def test_search_finds_part_of_a_name_in_any_case(api, shop):
    found = shop.product(name="Copper kettle")
    shop.product(name="Felt mat")
    assert [i["slug"] for i in api.get("/search/?q=KETT")["items"]] == [found.slug]


def test_search_refuses_a_single_letter(api):
    assert "two characters" in api.get("/search/?q=k", status=400)["error"]


@pytest.mark.parametrize("cents,text", [(0, "0.00"), (5, "0.05"), (123456, "1234.56"), (-250, "-2.50")])
def test_format_price(cents, text):
    assert format_price(cents) == text
