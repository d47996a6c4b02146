import pytest

from workshop import baskets, planning, texts

NAMES = [f"part {n % 37}" for n in range(90)]
NUMBERS = [(n * 7919) % 1009 for n in range(80)]


@pytest.mark.parametrize("count", [3, 20, 60])
def test_slugs(count):
    found = texts.slugs([f"Oak & Linen No. {n}!" for n in range(count)])
    assert found[1] == "oak-linen-no-1"
    assert texts.slugs(["?!", "x" * count]) == ["untitled", "x" * count]


@pytest.mark.parametrize("count", [4, 30, 80])
def test_common_words(count):
    stop = [f"word{n}" for n in range(count)]
    found = texts.common_words([f"the word{n} is a word{n + 1}" for n in range(count)], stop)
    assert found["the"] == count
    assert found[f"word{count}"] == 1


@pytest.mark.parametrize("count", [2, 30, 90])
def test_journal(count):
    assert texts.journal([f" line {n} " for n in range(count)]).splitlines()[0] == f"line {count - 1}"


@pytest.mark.parametrize("count", [1, 20, 90])
def test_rows(count):
    found = texts.rows(NAMES[:count])
    assert len(found) == count
    assert found[0].endswith('"footer": {"columns": ["name", "amount"], "source": "workshop", "unit": "EUR"}}')


@pytest.mark.parametrize("count", [2, 20, 60])
def test_longest(count):
    assert texts.longest(["x" * (n % 5) for n in range(count)]) == ["x" * min(4, count - 1)] * max(1, count // 5)


@pytest.mark.parametrize("count", [5, 40, 90])
def test_unique_and_frequencies(count):
    assert baskets.unique(NAMES[:count]) == list(dict.fromkeys(NAMES[:count]))
    assert dict(baskets.frequencies(NAMES[:count]))["part 3"] == NAMES[:count].count("part 3")


@pytest.mark.parametrize("count", [4, 25, 60])
def test_orders_with_customers(count):
    customers = [(n, f"customer {n}") for n in range(count)]
    orders = [(n * 3 % (count + 1), f"article {n}") for n in range(count)]
    assert baskets.with_customers(orders, customers)[0] == ("customer 0", "article 0")
    assert len(baskets.with_customers([*orders, (-1, "x")], customers)) <= count


@pytest.mark.parametrize("count", [3, 30, 90])
def test_amounts(count):
    found = baskets.amounts([f"1.{n:03d}" for n in range(count)] + ["-", "x"])
    assert found == {"total": 1000 * count + sum(range(count)), "rejected": 2}


def test_amounts_that_cannot_be_read():
    with pytest.raises(baskets.Unreadable):
        baskets.amounts(["-", "x"])


@pytest.mark.parametrize("count", [3, 30, 80])
def test_vat(count):
    assert baskets.vat([100] * count) == f"{19 * count}.00"
    assert baskets.vat(NUMBERS[:count])


@pytest.mark.parametrize("count", [3, 30, 80])
def test_any_over(count):
    assert baskets.any_over(NUMBERS[:count], 5)
    assert not baskets.any_over(NUMBERS[:count], 2000)


@pytest.mark.parametrize("count", [3, 30, 80])
def test_balances(count):
    assert baskets.balances(NUMBERS[:count])[-1] == sum(NUMBERS[:count])


@pytest.mark.parametrize("count", [4, 30, 90])
def test_waves(count):
    found = planning.waves(NAMES[:count])
    assert [job for wave in found for job in wave] == NAMES[:count]
    assert planning.waves(["a", "a", "b"]) == [["a"], ["a", "b"]]


@pytest.mark.parametrize("count", [4, 30, 80])
def test_by_priority(count):
    jobs = [(NUMBERS[n] % 5, f"job {n:03d}") for n in range(count)]
    assert planning.by_priority(jobs) == [name for _, name in sorted(jobs)]


@pytest.mark.parametrize("count", [4, 30, 80])
def test_bands(count):
    assert planning.bands([0, 10, 25], list(range(0, 10 * count, 10)))[1] == 2
    assert len(planning.bands(NUMBERS[:count], NUMBERS[:count])) == count


@pytest.mark.parametrize("count", [4, 30, 80])
def test_insert_all(count):
    assert planning.insert_all(NUMBERS[:count]) == sorted(NUMBERS[:count])


@pytest.mark.parametrize("count", [3, 20, 50])
def test_scores(count):
    found = planning.scores([n / 7 for n in range(count)])
    assert found[0] > 0
    assert len(found) == count


@pytest.mark.parametrize("count", [3, 20, 60])
def test_collatz(count):
    assert planning.collatz([6, 27, *NUMBERS[:count]])[:2] == [8, 111]


@pytest.mark.parametrize("count", [3, 20, 50])
def test_close_pairs(count):
    assert planning.close_pairs(list(range(count)), 1) == count - 1
    assert planning.close_pairs(NUMBERS[:count], 40) >= 0
