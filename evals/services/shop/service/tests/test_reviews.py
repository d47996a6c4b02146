import pytest

from reviews.models import Review
from reviews.views import QUEUE_SIZE


def test_reviews_newest_first_and_only_published(api, shop):
    product, customer = shop.product(), shop.customer()
    older, newer = shop.review(product, customer), shop.review(product, customer)
    shop.review(product, customer, status=Review.PENDING)
    items = api.get(f"/products/{product.slug}/reviews/")["items"]
    assert [item["id"] for item in items] == [newer.pk, older.pk]


def test_review_shows_only_the_first_name(api, shop):
    product = shop.product()
    shop.review(product, shop.customer(name="Nora Lund"))
    assert api.get(f"/products/{product.slug}/reviews/")["items"][0]["author"] == "Nora"


def test_review_of_a_deleted_customer_stays(api, shop):
    product, customer = shop.product(), shop.customer()
    shop.review(product, customer)
    customer.delete()
    assert api.get(f"/products/{product.slug}/reviews/")["items"][0]["author"] == "former customer"


def test_add_review_waits_for_moderation(api, shop):
    product, customer = shop.product(), shop.customer()
    answer = api.post(f"/products/{product.slug}/reviews/", {"customer": customer.pk, "rating": 5}, status=201)
    assert answer["status"] == "pending"
    assert api.get(f"/products/{product.slug}/reviews/")["items"] == []


@pytest.mark.parametrize("rating", [0, 6, "5", None, True])
def test_add_review_refuses_a_bad_rating(api, shop, rating):
    product, customer = shop.product(), shop.customer()
    api.post(f"/products/{product.slug}/reviews/", {"customer": customer.pk, "rating": rating}, status=400)
    assert not Review.objects.exists()


def test_add_review_of_an_unknown_customer(api, shop):
    api.post(f"/products/{shop.product().slug}/reviews/", {"customer": 1, "rating": 3}, status=404)


def test_moderation_is_for_staff(api):
    assert api.get("/reviews/moderation/", status=403) == {"error": "staff only"}


def test_moderation_oldest_first_with_full_names(staff, shop):
    product = shop.product()
    nora, sam = shop.customer(name="Nora Lund"), shop.customer(name="Sam Haas")
    for author in (nora, sam, nora):
        shop.review(product, author, status=Review.PENDING)
    shop.review(product, sam)
    rows = staff.get("/reviews/moderation/")["queue"]
    assert [row["author"] for row in rows] == ["Nora Lund", "Sam Haas", "Nora Lund"]


def test_moderation_keeps_reviews_without_an_author(staff, shop):
    product = shop.product()
    shop.review(product, None, status=Review.PENDING, body="one two three")
    shop.review(product, shop.customer(name="Ida Koch"), status=Review.PENDING)
    rows = staff.get("/reviews/moderation/")["queue"]
    assert [row["author"] for row in rows] == ["former customer", "Ida Koch"]
    assert rows[0]["words"] == 3


def test_moderation_shows_the_head_of_a_long_queue(staff, shop):
    product, customer = shop.product(), shop.customer()
    reviews = [shop.review(product, customer, status=Review.PENDING) for _ in range(QUEUE_SIZE + 2)]
    rows = staff.get("/reviews/moderation/")["queue"]
    assert [row["id"] for row in rows] == [review.pk for review in reviews[:QUEUE_SIZE]]


def test_moderation_of_an_empty_queue(staff):
    assert staff.get("/reviews/moderation/") == {"queue": []}
