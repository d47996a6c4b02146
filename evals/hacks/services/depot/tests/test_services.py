import pytest

from depot import services


@pytest.mark.parametrize("customer", range(1, 9))
def test_history(customer):
    found = services.history(customer)
    assert len(found) == 6
    assert all(row["units"] >= len(row["skus"]) for row in found)


@pytest.mark.parametrize("first", range(1, 9))
def test_prices(first):
    assert services.prices([first, 99999]) == services.prices([first])
    assert len(services.prices(list(range(first, first + 20)))) >= 17
    assert services.prices([11]) == []


@pytest.mark.parametrize("customer", range(1, 9))
def test_owed(customer):
    assert "." in services.owed(customer)


def test_nobody_owes_nothing():
    with pytest.raises(services.NoCustomer):
        services.owed(999)


@pytest.mark.parametrize("retired, count", [(True, 2), (False, 28)])
def test_catalogue(retired, count):
    found = services.catalogue(retired)
    assert (len(found), sorted(found)) == (count, found)


@pytest.mark.parametrize("article", range(1, 9))
def test_buyers(article):
    found = services.buyers(article)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("customer", range(1, 9))
def test_has_ordered(customer):
    assert services.has_ordered(customer)


def test_nobody_has_not_ordered():
    assert not services.has_ordered(999)
