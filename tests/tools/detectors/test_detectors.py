"""What holds for every detector, and the helpers that they share."""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from burnish.configfile import sentences
from burnish.finding import Site
from burnish.histogram import Histogram
from burnish.measured import measured
from burnish.profile import Driver
from burnish.settings import Section
from burnish.testing import windows as w
from burnish_tools.detectors import detector_types
from burnish_tools.detectors._measure import above_one, client_ns, mean_high, mean_low, slope
from burnish_tools.detectors._sql import tables, written
from burnish_tools.runtime import SqliteRuntime
from tests.tools.detectors.shapes import store

TYPES = detector_types()


def test_the_finder_finds_them_by_name() -> None:
    names = [kind.name for kind in TYPES]
    assert names == sorted(names)
    assert {"cpu_hot", "dead_code", "missing_index", "n_plus_one", "rare_spike", "regression", "slow_rot"} <= set(names)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: str(kind.name))
def test_each_has_settings_with_a_reason_for_every_threshold(kind: Any) -> None:
    settings = kind.Settings
    assert issubclass(settings, Section)
    assert [name for name in settings.model_fields if not sentences(settings).get(name)] == []
    assert "Definition:" in (sys.modules[kind.__module__].__doc__ or "")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: str(kind.name))
def test_each_says_nothing_about_nothing(kind: Any, tmp_path: Path) -> None:
    runtime, profile = store(tmp_path)
    detector = kind(kind.Settings())
    assert list(detector.detect(profile, runtime, None)) == []


def driver(pairs: list[tuple[float, float]]) -> Driver:
    return Driver(
        statement_id="",
        statement="",
        site=Site(function="", file="", line=0),
        n=len(pairs),
        sum_x=sum(x for x, _ in pairs),
        sum_y=sum(y for _, y in pairs),
        sum_xx=sum(x * x for x, _ in pairs),
        sum_xy=sum(x * y for x, y in pairs),
        sum_yy=sum(y * y for _, y in pairs),
    )


def test_the_slopes_interval_covers_the_true_slope_as_often_as_it_says() -> None:
    rng = random.Random(5)
    covered = 0
    for _ in range(1000):
        rows = [rng.uniform(5, 60) for _ in range(12)]
        found = slope(driver([(x, 3 + 0.8 * x + rng.gauss(0, 6)) for x in rows]))
        assert found is not None
        covered += found.low <= 0.8 <= found.high
    assert 925 <= covered <= 975


@pytest.mark.parametrize("pairs", [[(20, 20)] * 50, [(20, 20), (20.5, 21)] * 20, [], [(1, 2), (3, 4)]])
def test_no_slope_without_variance(pairs: list[tuple[float, float]]) -> None:
    assert slope(driver(pairs)) is None


def test_the_mean_lies_between_its_bounds_about_as_often_as_they_say() -> None:
    rng = random.Random(6)
    true, inside = math.exp(13 + 0.5**2 / 2), 0
    for _ in range(400):
        histogram = Histogram.of([rng.lognormvariate(13, 0.5) for _ in range(100)])
        inside += mean_low(histogram) <= true <= mean_high(histogram)
    assert 365 <= inside <= 395
    assert mean_low(Histogram.of([5])) == 0


def test_values_above_one_are_counted_exactly() -> None:
    for scale in (0, 3, 5):
        assert above_one(Histogram.of([1, 1, 2, 0, 3, 100, 1], scale)) == 3


def test_silent_windows_count_for_the_rate_but_not_for_the_time(tmp_path: Path) -> None:
    """10 windows, 60 calls in the one with sequence 0 and none in the others"""
    lines = [w.window(calls={"m:f": 60} if i == 0 else {"m:other": 1}, sequence=i) for i in range(10)]
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "s", *lines))
    runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    stats = profile.function("m:f")
    assert stats is not None
    seen = measured(stats, profile, runtime)
    assert (seen.calls_per_minute.value, seen.calls_per_minute.low) == (6, 0)
    assert seen.wall_ns.value == pytest.approx(10e6)
    assert seen.wall_ns.low == -math.inf  # one window says nothing about the spread


def test_a_rate_over_several_instances_is_that_of_all(tmp_path: Path) -> None:
    lines = [w.window(calls={"m:f": 5}, sequence=i, instance=name) for i in range(10) for name in ("a", "b", "c")]
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "s", *lines))
    runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    seen = measured(profile.functions[0], profile, runtime)
    assert (seen.calls_per_minute.value, seen.calls_per_minute.low, seen.calls_per_minute.high) == (15, 15, 15)


def test_what_a_query_costs_around_the_database(tmp_path: Path) -> None:
    """Three functions spend 0.3, 0.4 and 9 ms around each query; the least of three is a lower bound."""
    own = {"m:a": 1.3, "m:b": 1.4, "m:c": 10.0}
    calls = [w.calls(name, 10, wall_ms=ms) for name, ms in own.items()]
    queries = [w.query(f"SELECT {name}", at=f"{name}:1", times=10, ms=1) for name in own]
    _, profile = store(tmp_path / "three", calls=calls, queries=queries)
    assert client_ns(profile) == pytest.approx(0.3e6)
    _, profile = store(tmp_path / "two", calls=calls, queries=queries[:2])
    assert client_ns(profile) == 0


@pytest.mark.parametrize(
    "statement, expected",
    [
        ('INSERT INTO "a" ("x") VALUES (?)', "a"),
        ("INSERT INTO a (x) SELECT y FROM b", "a"),
        ("UPDATE a SET x = ? WHERE y = ?", "a"),
        ("DELETE FROM a WHERE x IN (SELECT y FROM b)", "a"),
        ("CALL something(?)", ""),
        ("UPDATE /* not normalised */", ""),
        ("SELECT * FROM a", None),
        ("WITH c AS (SELECT ?) SELECT * FROM c", None),
    ],
)
@pytest.mark.parametrize("system", ["sqlite", "postgresql"])
def test_written_tables(statement: str, expected: str | None, system: str) -> None:
    assert written(statement, system) == expected


def test_read_tables() -> None:
    assert tables("SELECT * FROM a JOIN b ON a.x = b.y WHERE a.z IN (SELECT q FROM c)", "sqlite") == {"a", "b", "c"}
