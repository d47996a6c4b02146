from datetime import timedelta

from recommendations.models import ProductView
from recommendations.services import TRENDING_SIZE, TRENDING_WINDOW, trending
from tests.conftest import START


def look(customer, skus, channel="web", start=0):
    ProductView.objects.bulk_create(
        ProductView(customer=customer, channel=channel, sku=sku, viewed_at=START + timedelta(minutes=start + n))
        for n, sku in enumerate(skus)
    )


def test_trending_newest_first_and_once_each(shop):
    look(shop.customer(), ["a", "b", "a", "c", "b"])
    assert trending("web") == (["b", "c", "a"], 3)


def test_trending_keeps_channels_apart(shop):
    customer = shop.customer()
    look(customer, ["a"], channel="web")
    look(customer, ["b"], channel="app")
    assert trending("app") == (["b"], 1)


def test_trending_shows_a_dozen_and_counts_the_rest(shop):
    look(shop.customer(), [f"s{n}" for n in range(TRENDING_SIZE + 8)])
    latest, distinct = trending("web")
    assert latest == [f"s{n}" for n in range(TRENDING_SIZE + 7, 7, -1)]
    assert distinct == TRENDING_SIZE + 8


def test_trending_counts_an_article_past_the_dozen_once(shop):
    names = [f"s{n}" for n in range(TRENDING_SIZE + 3)]
    look(shop.customer(), names + names)
    assert trending("web")[1] == TRENDING_SIZE + 3


def test_trending_forgets_views_outside_the_window(shop):
    look(shop.customer(), ["old"] + ["new"] * TRENDING_WINDOW)
    assert trending("web") == (["new"], 1)


def test_trending_without_views(api, db):
    assert api.get("/trending/store/") == {"channel": "store", "skus": [], "distinct": 0}


def test_trending_of_an_unknown_channel(api):
    api.get("/trending/fax/", status=404)


def test_recently_viewed(api, shop):
    customer, lamp, rug = shop.customer(), shop.product(), shop.product()
    look(customer, [lamp.sku, rug.sku, lamp.sku, "gone"])
    items = api.get(f"/customers/{customer.pk}/recent/")["items"]
    assert [item["sku"] for item in items] == [lamp.sku, rug.sku]
