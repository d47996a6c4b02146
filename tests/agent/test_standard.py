"""Hours at a fixed mix."""

from __future__ import annotations

import pytest

from burnish.profile import Stretch
from burnish.standard import HOUR_NS, OWN, QUERIES, WALL, Cell, Mix, Sums, at_least, cells, crude, drift


def stretch(
    hour: int, entry: str, calls: int, each_ns: float, *, release: str = "a", queries: float = 0, function: str = "f"
) -> Stretch:
    return Stretch(
        function=function, entry=entry, release=release, start_unix_ns=hour * HOUR_NS, calls=calls,
        wall_ns=calls * each_ns, own_ns=calls * each_ns / 2, queries=calls * queries, errors=0,
    )  # fmt: skip


def test_another_mix_is_no_change() -> None:
    before = cells([stretch(0, "cheap", 90, 10), stretch(0, "dear", 10, 100)])["f"]
    after = cells([stretch(1, "cheap", 10, 10), stretch(1, "dear", 90, 100)])["f"]
    assert crude(after, WALL) / crude(before, WALL) > 4
    assert Mix(before, WALL).values(after) == pytest.approx([19])


def test_an_entry_that_is_missing_is_spoken_for_by_the_others() -> None:
    before = cells([stretch(0, "cheap", 90, 10), stretch(0, "dear", 10, 100)])["f"]
    after = cells([stretch(1, "cheap", 90, 20)])["f"]
    assert Mix(before, WALL).values(after) == pytest.approx([38])
    assert Mix(before, OWN).values(after) == pytest.approx([19])
    assert Mix(before, WALL).values(cells([stretch(2, "new", 5, 7)])["f"]) == []


def test_queries_where_there_were_none() -> None:
    before = cells([stretch(0, "e", 10, 1)])["f"]
    assert Mix(before, QUERIES).values(cells([stretch(1, "e", 10, 1, queries=3)])["f"]) == [3]


def test_releases_that_ran_at_once_are_told_apart_or_put_together() -> None:
    both = [stretch(0, "e", 10, 1, release="a"), stretch(0, "e", 30, 2, release="b"), stretch(0, "e", 0, 2)]
    assert [(c.release, c.calls) for c in cells(both)["f"]] == [("a", 10), ("b", 30)]
    assert [(c.release, c.calls) for c in cells(both, by_release=False)["f"]] == [("", 40)]


def test_quiet_hours_are_put_together() -> None:
    some = [Cell(hour, "a", {"e": Sums(calls, 1, 1, 0)}) for hour, calls in enumerate([20, 40, 60, 10])]
    assert [(c.start_unix_ns, c.calls) for c in at_least(some, 50)] == [(0, 60), (2, 60)]


def test_drift_is_the_median_of_many_and_nothing_of_few() -> None:
    def control(n: int) -> dict[str, list[Cell]]:
        found: dict[str, list[Cell]] = {}
        for i in range(n):
            times = [10.0, 10.0, 12.0 if i else 100.0]
            found |= cells([stretch(h, "e", 10, t, function=f"f{i}") for h, t in enumerate(times)])
        return found

    seen = drift(control(7), 5)
    assert seen[2 * HOUR_NS, "a"] / seen[0, "a"] == pytest.approx(1.2)
    assert drift(control(4), 5) == {}
