"""Verdicts on drawn series. A letter is a window: its calls take 10 ms (a), 5 ms (b), 12 ms (c) each."""

from __future__ import annotations

import random

import pytest

from burnish.compare import Measured, Side, errors_rose, outcome
from burnish.finding import Interval
from burnish.job import Outcome, Prediction
from burnish.profile import Point, Series
from burnish.settings import VerdictSettings

MS = {"a": 10.0, "b": 5.0, "c": 12.0, "w": 100.0}
SETTINGS = VerdictSettings(min_calls=50, min_windows=8, warmup_seconds=0)


def series(drawing: str, entry: str = "GET x/", calls: int = 10, release: str = "r") -> Series:
    rng = random.Random(drawing)
    points = [
        Point(
            start_unix_ns=int(i * 1e9),
            seconds=1,
            instance="i",
            entry=entry,
            calls=calls,
            wall_ns=calls * MS[letter] * 1e6 * rng.uniform(0.95, 1.05),
            queries=calls * 3,
        )
        for i, letter in enumerate(drawing)
    ]
    return Series(function="m:f", release=release, points=tuple(points))


def promise(low: float) -> Prediction:
    return Prediction(
        function="m:f",
        time_saving=Interval(value=low, low=low, high=low, n=9),
        queries_before=0,
        queries_after=0,
        saving_ns_per_minute=0,
        transfer=1,
    )


def measured(
    before: Series, after: Series, settings: VerdictSettings = SETTINGS, rest: tuple[str, str] | None = None
) -> Measured:
    """`rest` draws the other entries of the service before and after; by default there are none."""
    sides = []
    for place, one in enumerate((before, after)):
        others = series(rest[place], "GET other/", calls=40).points if rest else ()
        entries = Series(function="", release="r", points=(*one.points, *others))
        sides.append(Side(one, entries, settings))
    return Measured(sides[0], sides[1], settings, random.Random(1))


@pytest.mark.parametrize(
    ("before", "after", "promised", "expected"),
    [
        ("aaaaaaaaaa", "bbbbbbbbbb", 0.45, Outcome.CONFIRMED),
        ("aaaaaaaaaa", "bbbbbbbbbb", 0.90, Outcome.WEAKER),
        ("aaaaaaaaaa", "aaaaaaaaaa", 0.30, Outcome.NO_CHANGE),
        ("aaaaaaaaaa", "cccccccccc", 0.30, Outcome.WORSE),
        ("abababacac", "acabababab", 0.30, Outcome.NO_CHANGE),
    ],
)
def test_outcomes(before: str, after: str, promised: float, expected: Outcome) -> None:
    saving = measured(series(before), series(after)).saving()
    assert outcome(saving, promise(promised), SETTINGS, more_errors=False) is expected


@pytest.mark.parametrize(
    ("before", "after", "rest", "expected"),
    [
        # the machine became ten times slower for all: the function's own saving is still there
        ("aaaaaaaaaa", "wwwwwwwwww", ("bbbbbbbbbb", "wwwwwwwwww"), Outcome.CONFIRMED),
        # it became faster for all: that is not the fix's merit
        ("aaaaaaaaaa", "bbbbbbbbbb", ("aaaaaaaaaa", "bbbbbbbbbb"), Outcome.NO_CHANGE),
        # the function stayed as it was while the rest became faster: it is slower than it would have been
        ("aaaaaaaaaa", "aaaaaaaaaa", ("aaaaaaaaaa", "bbbbbbbbbb"), Outcome.WORSE),
        ("aaaaaaaaaa", "bbbbbbbbbb", ("aaaaaaaaaa", "aaaaaaaaaa"), Outcome.CONFIRMED),
    ],
)
def test_what_meets_the_whole_service_is_taken_out(
    before: str, after: str, rest: tuple[str, str], expected: Outcome
) -> None:
    saving = measured(series(before), series(after), rest=rest).saving()
    assert outcome(saving, promise(0.3), SETTINGS, more_errors=False) is expected


def test_the_drift_is_told_where_there_is_other_traffic() -> None:
    drift = measured(series("aaaaaaaaaa"), series("aaaaaaaaaa"), rest=("aaaaaaaaaa", "bbbbbbbbbb")).drift()
    assert drift is not None
    assert drift.value == pytest.approx(0.5, abs=0.05)
    assert measured(series("aaaaaaaaaa"), series("aaaaaaaaaa")).drift() is None


def test_more_errors_are_worse_however_fast() -> None:
    saving = measured(series("aaaaaaaaaa"), series("bbbbbbbbbb")).saving()
    assert outcome(saving, promise(0.4), SETTINGS, more_errors=True) is Outcome.WORSE


def test_a_shift_in_traffic_is_no_change_in_speed() -> None:
    #  before: mostly the cheap entry;  after: mostly the dear one; each as fast as it was
    def mixed(cheap: int, dear: int) -> Series:
        one, two = series("bbbbbbbbbb", "GET cheap/", cheap), series("wwwwwwwwww", "GET dear/", dear)
        return Series(function="m:f", release="r", points=one.points + two.points)

    saving = measured(mixed(90, 10), mixed(10, 90)).saving()
    assert outcome(saving, promise(0.3), SETTINGS, more_errors=False) is Outcome.NO_CHANGE
    assert abs(saving.value) < 0.05


def test_the_warm_up_does_not_count() -> None:
    settings = SETTINGS.model_copy(update={"warmup_seconds": 2.0})
    seen = measured(series("wwaaaaaaaaaa"), series("wwbbbbbbbbbb"), settings)
    assert seen.saving().value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("after", "calls"), [("bbb", 100), ("bbbbbbbbbb", 2)])
def test_too_little_says_what_is_missing(after: str, calls: int) -> None:
    missing = measured(series("aaaaaaaaaa"), series(after, calls=calls)).missing
    assert "after the deployment; a verdict needs 50 calls in 8 windows" in missing


def test_no_common_entry_is_not_compared() -> None:
    assert "no entry" in measured(series("aaaaaaaaaa"), series("bbbbbbbbbb", "GET y/")).missing


def test_queries_are_per_call() -> None:
    seen = measured(series("aaaaaaaaaa"), series("bbbbbbbbbb"))
    assert (seen.before.queries, seen.after.queries) == (3, 3)


@pytest.mark.parametrize(
    ("before", "after", "rose"),
    [((5, 1000), (50, 1000), True), ((5, 1000), (7, 1000), False), ((0, 10), (1, 10), False), ((0, 0), (9, 9), False)],
)
def test_error_rates(before: tuple[int, int], after: tuple[int, int], rose: bool) -> None:
    assert errors_rose(before, after) is rose
