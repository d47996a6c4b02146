"""The detectors that look back, on a real dataset: windows of the sensor's format, an hour each, in SQLite."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from burnish.finding import Finding
from burnish.testing import windows as w
from burnish_tools.detectors.regression import Regression
from burnish_tools.detectors.slow_rot import SlowRot
from burnish_tools.runtime import SqliteRuntime

START = 1_699_833_600.0
"""Monday, November 13, 2023, 00:00 UTC."""
HOUR = 3600
F, CALLEE = "shop.orders:total", "shop.tax:rate"


def dataset(place: Path, hours: int, released: int, ms: Callable[[int], float]) -> SqliteRuntime:
    """One window an hour; release `b` from the hour `released` on, in which the callee's code is another."""
    rng = random.Random(1)
    for hour in range(hours):
        release = "a" if hour < released else "b"
        rows = [
            w.calls(F, 200, wall_ms=ms(hour) * rng.lognormvariate(0, 0.02), own_ms=ms(hour) * 0.9, entry="GET f/"),
            w.calls(CALLEE, 400, wall_ms=0.5, entry="GET f/", caller=F),
            *(w.calls(f"shop.rest:f{i}", 200, wall_ms=20 + i, entry="GET rest/") for i in range(6)),
        ]
        line = w.window(
            calls=rows, release=release, start=START, seconds=HOUR, sequence=hour, bodies={CALLEE: f"code of {release}"}
        )
        w.write(place / "windows", line)
    runtime = SqliteRuntime(place / "runtime.sqlite3", "shop", "production", place / "windows")
    assert runtime.refresh() == hours
    return runtime


def findings(detector: Regression | SlowRot, runtime: SqliteRuntime) -> list[Finding]:
    profile = runtime.profile()
    assert profile is not None
    return [one for one in detector.detect(profile, runtime, None) if isinstance(one, Finding)]


def test_a_regression(tmp_path: Path) -> None:
    runtime = dataset(tmp_path, 60, released=48, ms=lambda hour: 200 if hour < 48 else 240)
    (found,) = findings(Regression(Regression.Settings()), runtime)
    assert (found.function, found.evidence.since_release, found.evidence.suspects) == (F, "b", (CALLEE,))
    assert found.evidence.since_unix_ns == round((START + 48 * HOUR) * 1e9)
    assert 30e6 < found.removable_ns < 45e6
    assert "Wasserstein" in " ".join(found.evidence.notes)
    assert findings(SlowRot(SlowRot.Settings()), runtime) == []


def test_no_regression(tmp_path: Path) -> None:
    assert findings(Regression(Regression.Settings()), dataset(tmp_path, 60, released=48, ms=lambda hour: 200)) == []


def test_slow_rot(tmp_path: Path) -> None:
    runtime = dataset(tmp_path, 14 * 24, released=120, ms=lambda hour: 200 + hour / 3)
    (found,) = findings(SlowRot(SlowRot.Settings()), runtime)
    assert found.function == F
    assert 70e6 < found.removable_ns < 120e6
    assert findings(Regression(Regression.Settings()), runtime) == []
