"""Recorded windows and told numbers as what detectors read: a profile and a dataset in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from burnish.conditions import Exemplar, Looked, Sample
from burnish.finding import Finding, Passed, Site
from burnish.histogram import Histogram
from burnish.profile import DependencyStats, EntryStats, FunctionStats, Point, Profile, Series
from burnish.testing import MemoryRuntime
from burnish_tools.detectors import detector_types
from burnish_tools.runtime.format import CallRow, Window, parse

DATA = Path(__file__).parent / "data"
SECOND = 10**9


def run(name: str, profile: Profile, runtime: MemoryRuntime, **settings: Any) -> tuple[list[Finding], list[Passed]]:
    """What one detector says."""
    kind = next(kind for kind in detector_types() if kind.name == name)
    seen = list(kind(kind.Settings(**settings)).detect(profile, runtime, None))
    return [s for s in seen if isinstance(s, Finding)], [s for s in seen if isinstance(s, Passed)]


def recorded(name: str) -> tuple[MemoryRuntime, Profile]:
    """The windows of `data/NAME.jsonl`."""
    windows = [parse(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [(window, row) for window in windows for row in window.calls]
    functions: dict[str, FunctionStats] = {}
    for window, row in rows:
        one = _stats(window, row)
        functions[row.function] = functions[row.function] + one if row.function in functions else one
    profile = a_profile(
        functions.values(),
        start=windows[0].start_unix_ns,
        seconds=sum(w.end_unix_ns - w.start_unix_ns for w in windows) / SECOND,
        windows=len(windows),
    )
    samples = {(function, profile.release): list(_samples(windows, function)) for function in functions}
    series = [
        Series(function=f, release="a", points=tuple(_point(w, r) for w, r in rows if r.function == f))
        for f in functions
    ]
    return MemoryRuntime([profile], series, samples=samples), profile


def a_profile(
    functions: Iterable[FunctionStats],
    *,
    entries: Sequence[EntryStats] = (),
    dependencies: Sequence[DependencyStats] = (),
    release: str = "a",
    start: int = 0,
    seconds: float = 600,
    windows: int = 10,
) -> Profile:
    """A profile of these functions."""
    return Profile(
        service="shop",
        environment="production",
        release=release,
        start_unix_ns=start,
        end_unix_ns=start + round(seconds * SECOND),
        observed_seconds=seconds,
        windows=windows,
        instances=1,
        entries=tuple(entries),
        functions=tuple(functions),
        queries=(),
        fan_outs=(),
        dependencies=tuple(dependencies),
    )


def told(profile: Profile, **more: Any) -> MemoryRuntime:
    """A dataset in which the calls of the profile's functions are spread evenly over its windows."""
    series = [
        Series(
            function=stats.function,
            release=profile.release,
            points=tuple(_even(stats, profile, i) for i in range(profile.windows)),
        )
        for stats in profile.functions
    ]
    return MemoryRuntime([profile], series, **more)


def function(
    name: str,
    calls: int,
    ms: float | Sequence[float] = 10.0,
    *,
    own_ms: float | None = None,
    callers: Mapping[str, int] | None = None,
    entries: Mapping[str, int] | None = None,
    errors: Mapping[str, int] | None = None,
    line: int = 10,
    end_line: int = 20,
    body: str = "",
    file: str = "",
) -> FunctionStats:
    """A function whose calls take `ms` each, or those times in turn."""
    each = [ms] if isinstance(ms, (int, float)) else ms
    wall = Histogram.of([each[i % len(each)] * 1e6 for i in range(calls)])
    return FunctionStats(
        function=name,
        file=file or name.partition(":")[0].replace(".", "/") + ".py",
        line=line,
        end_line=end_line,
        body=body or name,
        kind="function",
        calls=calls,
        errors=dict(errors or {}),
        wall=wall,
        own=wall if own_ms is None else Histogram.of([own_ms * 1e6] * calls),
        entries=dict(entries or {"GET /": calls}),
        callers=dict(callers or {"": calls}),
    )


def entry(name: str, calls: int, ms: float = 10.0, errors: Mapping[str, int] | None = None) -> EntryStats:
    """An entry of equal calls."""
    return EntryStats(
        entry=name,
        kind="http",
        calls=calls,
        errors=dict(errors or {}),
        wall=Histogram.of([ms * 1e6] * calls),
        queries=Histogram.of([0] * calls),
    )


def dependency(
    at: str,
    calls: int,
    ms: Sequence[float] = (20.0,),
    *,
    kind: str = "http",
    peer: str = "stock:80",
    operation: str = "GET",
    errors: Mapping[str, int] | None = None,
    timeouts: int = 0,
    retries: int = 0,
    entries: Mapping[str, int] | None = None,
) -> DependencyStats:
    """Calls of another service, at `module:function:line`, that take these times in turn."""
    name, _, line = at.rpartition(":")
    return DependencyStats(
        kind=kind,
        peer=peer,
        operation=operation,
        site=Site(function=name, file=name.partition(":")[0].replace(".", "/") + ".py", line=int(line)),
        calls=calls,
        errors=dict(errors or {}),
        timeouts=timeouts,
        retries=retries,
        wall=Histogram.of([ms[i % len(ms)] * 1e6 for i in range(calls)]),
        entries=dict(entries or {"GET /": calls}),
    )


def _stats(window: Window, row: CallRow) -> FunctionStats:
    code = window.functions[row.function]
    return FunctionStats(
        function=row.function,
        file=code.file,
        line=code.line,
        end_line=code.end_line,
        body=code.body,
        kind=code.kind,
        calls=row.calls,
        errors=row.errors,
        wall=row.wall.histogram(),
        own=row.own.histogram(),
        entries={row.entry: row.calls},
        callers=row.callers,
    )


def _samples(windows: Sequence[Window], function: str) -> Iterable[Sample]:
    for window in windows:
        rows = tuple(Exemplar(**to_builtins(row)) for row in window.exemplars if row.function == function)
        for looked in window.conditions:
            if looked.function == function:
                yield Sample(Looked(**to_builtins(looked)), rows, window.start_unix_ns)


def _point(window: Window, row: CallRow) -> Point:
    start = window.start_unix_ns
    return Point(
        start_unix_ns=start,
        seconds=(window.end_unix_ns - start) / SECOND,
        instance=window.instance,
        entry=row.entry,
        calls=row.calls,
        wall_ns=row.wall.sum,
        queries=0,
    )


def _even(stats: FunctionStats, profile: Profile, i: int) -> Point:
    seconds = profile.observed_seconds / profile.windows
    n = profile.windows
    calls = stats.calls * (i + 1) // n - stats.calls * i // n
    return Point(
        start_unix_ns=profile.start_unix_ns + round(i * seconds * SECOND),
        seconds=seconds,
        instance="one",
        entry=next(iter(stats.entries), ""),
        calls=calls,
        wall_ns=stats.wall.mean * calls,
        queries=0,
    )
