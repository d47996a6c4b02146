"""The fake answers like the real one: it passes the same contract with the real one's values."""

from __future__ import annotations

from pathlib import Path

from burnish.profile import Profile
from burnish.protocols import Runtime
from burnish.testing import MemoryRuntime
from burnish.testing import windows as w
from burnish_tools.runtime import SqliteRuntime
from tests.tools.runtime.contract import LIST, RuntimeContract


def copied(tmp_path: Path, *lines: str) -> tuple[list[Profile], SqliteRuntime]:
    real = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    real.refresh()
    return [p for r in real.releases() if (p := real.profile(r.name))], real


class TestMemoryRuntime(RuntimeContract):
    # a given profile cannot be cut in two
    test_since_cuts_between_windows_however_they_were_added_up = None  # type: ignore[assignment]
    test_since_within_an_hour_counts_single_windows = None  # type: ignore[assignment]
    test_a_span_has_the_distributions_of_its_hours_by_entry = None  # type: ignore[assignment]  # one release only

    def runtime(self, tmp_path: Path, *lines: str) -> Runtime:
        profiles, real = copied(tmp_path, *lines)
        series = [real.series(f.function, p.release) for p in profiles for f in p.functions]
        hours = {(h.function, h.start_unix_ns) for h in real.history("hour")}
        return MemoryRuntime(
            profiles,
            [*series, *(real.entry_series(p.release) for p in profiles)],
            history={level: real.history(level) for level in ("hour", "day")},
            spans={key: real.span(*key, key[1] + 1) for key in hours},
            samples={
                (f.function, p.release): real.samples(f.function, p.release) for p in profiles for f in p.functions
            },
        )


def test_profiles_arrive_one_with_each_refresh(tmp_path: Path) -> None:
    (before, after), _ = copied(
        tmp_path, w.window(calls={LIST: 1}), w.window(calls={LIST: 1}, release="b", start=600, instance="two")
    )
    runtime = MemoryRuntime([before], arriving=[after])
    assert [r.name for r in runtime.releases()] == ["a"]
    assert (runtime.refresh(), runtime.refresh()) == (1, 0)
    assert [r.name for r in runtime.releases()] == ["a", "b"]
