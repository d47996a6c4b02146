"""A function's rate and time: windows, or the hours of a long profile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from burnish.measured import measured
from burnish.standard import HOUR_NS
from burnish.testing import windows as w
from burnish_tools.runtime import SqliteRuntime

NAME = "shop.views:orders"


def dataset(tmp_path: Path, hours: int) -> SqliteRuntime:
    """Two windows an hour; the function is called in two hours of three, by the hour more or less often."""
    rng = random.Random(7)
    lines = []
    for i in range(2 * hours):
        n = rng.randint(5, 40) if i // 2 % 3 else 0
        rows = [w.calls("shop.views:home", 1), *([w.calls(NAME, n, wall_ms=rng.uniform(5, 15))] if n else [])]
        lines.append(w.window(calls=rows, sequence=i, seconds=1800))
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    runtime.refresh()
    return runtime


def test_hours_say_what_windows_say(tmp_path: Path) -> None:
    runtime = dataset(tmp_path, 120)
    profile = runtime.profile()
    assert profile is not None
    stats = profile.function(NAME)
    assert stats is not None
    by_hour, by_window = (measured(stats, profile, runtime, blocks=blocks) for blocks in (60, 240))
    for one, two in ((by_hour.calls_per_minute, by_window.calls_per_minute), (by_hour.wall_ns, by_window.wall_ns)):
        assert one.value == pytest.approx(two.value)
        assert one.low == pytest.approx(two.low, rel=0.1)
        assert one.high == pytest.approx(two.high, rel=0.1)
        assert one.n == 60
    assert by_window.calls_per_minute.n == 240
    assert 0 <= by_hour.last_unix_ns - by_window.last_unix_ns < HOUR_NS


def test_the_hours_of_another_release_do_not_count(tmp_path: Path) -> None:
    runtime = dataset(tmp_path, 120)
    again = [w.window(release="b", calls={NAME: 500}, sequence=i, seconds=1800, instance="two") for i in range(240)]
    w.write(tmp_path / "windows", *again)
    runtime.refresh()
    profile = runtime.profile("a")
    assert profile is not None
    stats = profile.function(NAME)
    assert stats is not None
    seen = measured(stats, profile, runtime, blocks=60)
    assert seen.calls_per_minute.value == pytest.approx(stats.calls / profile.minutes)
