"""Weeks of production drawn hour by hour: a `Runtime` for what looks back over releases and days.

    production = Drawn(
        releases=[("a", 0, 168), ("b", 168, 192)],
        code=[Code("shop.views:orders", ms=lambda at: 10 if at.release == "a" else 11.2, calls={"GET orders/": 3000})],
    )

What is drawn is seeded: the same arguments are the same production. Times vary from hour to hour, for the whole machine
and for each function alone, and within an hour from call to call.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from burnish.conditions import Sample
from burnish.excerpt import excerpt
from burnish.histogram import Histogram
from burnish.profile import Deployment, EntryStats, FunctionStats, Point, Profile, Release, Series, Stretch
from burnish.standard import DAY_NS, HOUR_NS

START_NS = 1_699_833_600 * 1_000_000_000
"""Monday, November 13, 2023, 00:00 UTC."""
_SUMS = ("calls", "wall_ns", "own_ns", "queries")
_SHAPE = (0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.4, 2.6)
"""What calls take within an hour, of their mean: a long tail to the right."""


@dataclass(frozen=True)
class At:
    """Where a number is asked for."""

    hour: int
    """Since the start."""
    release: str
    entry: str

    @property
    def day(self) -> float:
        """Since the start; not whole."""
        return self.hour / 24

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return self.hour // 24 % 7


Told = Callable[[At], float]


def always(value: float) -> Told:
    """The same everywhere."""
    return lambda at: value


ONE, NONE = always(1.0), always(0.0)


@dataclass(frozen=True)
class Code:
    """A function: what it takes and how often it is called."""

    function: str
    ms: Told
    """Mean wall time of a call."""
    calls: Mapping[str, float | Told] = field(default_factory=lambda: {"GET /": 3000})
    """Calls in an hour, by entry."""
    own: Told = ONE
    """Share of its own."""
    queries: Told = NONE
    """In one call."""
    callers: Mapping[str, float] | Callable[[At], Mapping[str, float]] = field(default_factory=lambda: {"": 1.0})
    """Shares of the calls."""
    body: Callable[[str], str] = lambda release: "b0d1"
    """The hash of its code, by release; empty where the release has no such function."""
    lines: int = 10


class Drawn:
    """Satisfies `burnish.protocols.Runtime`. `releases` are (name, first hour, hour after the last)."""

    def __init__(
        self,
        releases: Sequence[tuple[str, int, int]],
        code: Sequence[Code],
        *,
        noise: float = 0.03,
        machine: Told = ONE,
        machine_noise: float = 0.03,
        seed: int = 0,
        deployments: Sequence[Deployment] = (),
    ) -> None:
        """`noise` is the spread of a function's hours around its mean, `machine_noise` that of all functions at once;
        `machine` multiplies every time."""
        self._releases, self._code = list(releases), {one.function: one for one in code}
        self._noise, self._seed, self._deployments = noise, seed, deployments
        rng = random.Random(f"machine {seed}")
        last = max(end for _, _, end in releases)
        self._machine = [machine(At(h, "", "")) * rng.lognormvariate(0, machine_noise) for h in range(last)]

    def refresh(self) -> int:
        """Nothing arrives."""
        return 0

    def releases(self) -> Sequence[Release]:
        """As given, in order of their first hour."""
        calls = {name: 0 for name, _, _ in self._releases}
        for s in self._hours:
            calls[s.release] += s.calls
        return [
            Release(name=name, first_unix_ns=_ns(first), last_unix_ns=_ns(end), windows=end - first, calls=calls[name])
            for name, first, end in sorted(self._releases, key=lambda r: r[1])
        ]

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """All hours of a release."""
        name = release or self.releases()[-1].name
        found = [r for r in self._releases if r[0] == name]
        if not found:
            return None
        _, first, end = found[0]
        functions = [self._whole(f, name) for f in sorted(self._code)]
        return Profile(
            service="shop", environment="production", release=name,
            start_unix_ns=_ns(first), end_unix_ns=_ns(end), observed_seconds=(end - first) * 3600.0,
            windows=end - first, instances=1, entries=self._entries(name),
            functions=tuple(f for f in functions if f is not None), queries=(), fan_outs=(),
        )  # fmt: skip

    def excerpt(self, function: str, release: str | None = None) -> Profile | None:
        """What of a release concerns one function."""
        profile = self.profile(release)
        return excerpt(profile, function) if profile is not None else None

    def series(self, function: str, release: str) -> Series:
        """Hours as windows."""
        points = tuple(
            Point(
                start_unix_ns=s.start_unix_ns, seconds=3600, instance="one", entry=s.entry, calls=s.calls,
                wall_ns=s.wall_ns, queries=s.queries,
            )
            for s in self._by_function.get(function, ())
            if s.release == release
        )  # fmt: skip
        return Series(function=function, release=release, points=points)

    def entry_series(self, release: str) -> Series:
        """None are drawn."""
        return Series(function="", release=release, points=())

    def history(
        self, level: str, *, since_unix_ns: int = 0, functions: Collection[str] | None = None
    ) -> Sequence[Stretch]:
        """By hour as drawn, by day added up."""
        stretches = self._hours if level == "hour" else self._days
        return [
            s for s in stretches if s.start_unix_ns >= since_unix_ns and (functions is None or s.function in functions)
        ]

    def span(
        self, function: str, start_unix_ns: int, end_unix_ns: int, *, release: str | None = None
    ) -> Mapping[str, FunctionStats]:
        """The hours between, by entry."""
        found: dict[str, FunctionStats] = {}
        for s in self._hours:
            if (
                s.function == function
                and start_unix_ns <= s.start_unix_ns < end_unix_ns
                and release in (None, s.release)
            ):
                one = self._stats(s)
                found[s.entry] = found[s.entry] + one if s.entry in found else one
        return found

    def samples(self, function: str, release: str, *, since_unix_ns: int = 0) -> Sequence[Sample]:
        """None are drawn."""
        return ()

    def deployments(self) -> Sequence[Deployment]:
        """As given."""
        return self._deployments

    @cached_property
    def _hours(self) -> list[Stretch]:
        drawn = (
            stretch
            for name, first, end in self._releases
            for code in self._code.values()
            if code.body(name)
            for hour in range(first, end)
            for stretch in self._drawn(code, name, hour)
        )
        return sorted(drawn, key=lambda s: (s.start_unix_ns, s.release, s.function, s.entry))

    @cached_property
    def _by_function(self) -> Mapping[str, list[Stretch]]:
        found: dict[str, list[Stretch]] = {}
        for s in self._hours:
            found.setdefault(s.function, []).append(s)
        return found

    def _drawn(self, code: Code, release: str, hour: int) -> list[Stretch]:
        rng = random.Random(f"{self._seed} {code.function} {release} {hour}")
        weather = self._machine[hour] * rng.lognormvariate(0, self._noise)
        found = []
        for entry, often in code.calls.items():
            at = At(hour, release, entry)
            mean = often(at) if callable(often) else often
            calls = max(0, round(rng.gauss(mean, mean**0.5)))
            wall = calls * code.ms(at) * 1e6 * weather
            if calls:
                found.append(
                    Stretch(
                        function=code.function, entry=entry, release=release, start_unix_ns=_ns(hour), calls=calls,
                        wall_ns=wall, own_ns=wall * code.own(at), queries=calls * code.queries(at), errors=0,
                    )
                )  # fmt: skip
        return found

    @cached_property
    def _days(self) -> list[Stretch]:
        days: dict[tuple[int, str, str, str], Stretch] = {}
        for s in self._hours:
            day = s.start_unix_ns // DAY_NS * DAY_NS
            key = day, s.release, s.function, s.entry
            old = days.get(key)
            sums = {
                n: getattr(s, n) + (getattr(old, n) if old else 0) for n in ("calls", "wall_ns", "own_ns", "queries")
            }
            days[key] = s._replace(start_unix_ns=day, **sums)
        return [days[key] for key in sorted(days)]

    def _stats(self, s: Stretch) -> FunctionStats:
        code = self._code[s.function]
        at = At((s.start_unix_ns - START_NS) // HOUR_NS, s.release, s.entry)
        callers = code.callers(at) if callable(code.callers) else code.callers
        return FunctionStats(
            function=s.function, file=f"{s.function.split(':')[0].replace('.', '/')}.py", line=1, end_line=code.lines,
            body=code.body(s.release), kind="function", calls=s.calls, errors={}, wall=_histogram(s.calls, s.wall_ns),
            own=_histogram(s.calls, s.own_ns), entries={s.entry: s.calls},
            callers={name: round(s.calls * share) for name, share in callers.items()},
        )  # fmt: skip

    def _whole(self, function: str, release: str) -> FunctionStats | None:
        total: FunctionStats | None = None
        for s in self._by_function.get(function, ()):
            if s.release == release:
                total = self._stats(s) if total is None else total + self._stats(s)
        return total

    def _entries(self, release: str) -> tuple[EntryStats, ...]:
        """One for each, as slow as the functions that nobody calls."""
        sums: dict[str, tuple[int, float]] = {}
        for s in self._hours:
            if s.release == release:
                calls, wall = sums.get(s.entry, (0, 0.0))
                sums[s.entry] = max(calls, s.calls), wall + s.own_ns
        return tuple(
            EntryStats(entry=e, kind="http", calls=n, errors={}, wall=_histogram(n, w), queries=Histogram())
            for e, (n, w) in sorted(sums.items())
        )


def _ns(hour: int) -> int:
    return START_NS + hour * HOUR_NS


def _histogram(calls: int, total_ns: float) -> Histogram:
    """So many calls of the usual shape."""
    mean, scale = total_ns / max(calls, 1), sum(_SHAPE) / len(_SHAPE)
    drawn = Histogram.of([mean * part / scale for part in _SHAPE])
    counts = tuple(n * calls // len(_SHAPE) for n in drawn.counts)
    rest = calls - sum(counts) - drawn.zero * calls // len(_SHAPE)
    counts = (counts[0] + rest, *counts[1:]) if counts else ()
    zero = 0 if counts else calls
    return drawn.model_copy(update={"count": calls, "sum": total_ns, "counts": counts, "zero": zero})
