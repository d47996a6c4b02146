"""Recorded shapes for the detectors' tests: windows in, answers of one detector out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.finding import Finding, Passed
from burnish.profile import Profile
from burnish.protocols import Database
from burnish.testing import windows as w
from burnish.testing.database import ScriptedDatabase as Plans
from burnish.why import Why
from burnish_tools.detectors import detector_types
from burnish_tools.runtime import SqliteRuntime

MINUTES = 10
__all__ = ["Plans", "detect", "reasons", "store"]


def store(tmp_path: Path, *, minutes: int = MINUTES, **content: Any) -> tuple[SqliteRuntime, Profile]:
    """A dataset of `minutes` equal windows."""
    lines = [w.window(sequence=i, **content) for i in range(minutes)]
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    return runtime, profile


def detect(
    name: str,
    tmp_path: Path,
    *,
    database: Database | None = None,
    settings: Mapping[str, Any] | None = None,
    minutes: int = MINUTES,
    **content: Any,
) -> tuple[list[Finding], list[Passed]]:
    """What one detector says about a dataset of equal windows."""
    runtime, profile = store(tmp_path, minutes=minutes, **content)
    kind = next(kind for kind in detector_types() if kind.name == name)
    seen = list(kind(kind.Settings(**(settings or {}))).detect(profile, runtime, database))
    return [s for s in seen if isinstance(s, Finding)], [s for s in seen if isinstance(s, Passed)]


def reasons(passed: Sequence[Passed]) -> dict[str, Why]:
    """Why by function; a function with two reasons is an error here."""
    assert len({p.function for p in passed}) == len(passed), passed
    return {p.function: p.why for p in passed}
