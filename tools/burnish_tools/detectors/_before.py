"""What was before the newest releases: the busy functions' hours, under whatever names they had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from burnish.changes import Difference
from burnish.distribution import Hour
from burnish.identity import lineage
from burnish.profile import FunctionStats, Profile, Release
from burnish.protocols import Runtime
from burnish.standard import HOUR_NS, Cell
from burnish_tools.detectors._boundary import Drift, Limits, Sides
from burnish_tools.detectors._history import Past, past

WARM_AFTER_NS = 3 * HOUR_NS
"""How long a release must have run for the hour in which it began to be left out; where releases are replaced sooner,
both sides are equally cold."""


@dataclass(frozen=True)
class Before:
    """The hours from `since` on. `releases` are in order of their first window."""

    profile: Profile
    runtime: Runtime
    functions: list[FunctionStats]
    releases: list[Release]
    since: int
    limits: Limits

    @property
    def until(self) -> int:
        """The end of the profile, as a whole hour."""
        return -(-self.profile.end_unix_ns // HOUR_NS) * HOUR_NS

    @cached_property
    def order(self) -> list[str]:
        """Names of the releases."""
        return [release.name for release in self.releases]

    @property
    def drift(self) -> Drift:
        """What the machine did to everybody."""
        return self._past.drift

    def cells(self, function: str) -> list[Cell]:
        """Its hours, without those in which a release was still warming up."""
        return [c for c in self._past.values_of(function) if (c.start_unix_ns, c.release) not in self._cold]

    def change(self, function: str, release: str, measure: int) -> Difference | None:
        """What a function did at a release; None where it is not known."""
        earlier = set(self.order[: self.order.index(release)])
        cells = self.cells(function)
        before, after = [c for c in cells if c.release in earlier], [c for c in cells if c.release not in earlier]
        compared = Sides(release, before, after, self.drift).compared(measure, self.limits.hours) if after else None
        return compared[0] if compared else None

    def either_side(self, sides: Sides) -> tuple[str, str]:
        """The release itself, and the last one before it in which the function was called."""
        called = {cell.release for cell in sides.before}
        return next(name for name in reversed(self.order) if name in called), sides.release

    def stats(self, function: str, sides: Sides) -> tuple[Mapping[str, FunctionStats], Mapping[str, FunctionStats]]:
        """The function by entry on either side of a release."""
        old, new = self.either_side(sides)
        return self._span(self.earlier.get(function, function), old), self._span(function, new)

    def hours(self, function: str, cells: Sequence[Cell]) -> Iterator[Hour]:
        """Its distributions by entry in each of these hours."""
        names = {function, self.earlier.get(function, function)}
        for cell in cells:
            for name in sorted(names):
                end = cell.start_unix_ns + HOUR_NS
                seen = self.runtime.span(name, cell.start_unix_ns, end, release=cell.release)
                if seen:
                    yield {entry: stats.wall for entry, stats in seen.items()}

    @cached_property
    def earlier(self) -> Mapping[str, str]:
        """The name before, of busy functions that the newest release has and the one before had not. Its functions are
        read only where there is such a one."""
        called = {
            f for f, cells in self._named_so.cells.items() if any(c.release != self.profile.release for c in cells)
        }
        previous = next((name for name in reversed(self.order) if name != self.profile.release), "")
        was = self.runtime.profile(previous) if any(f.function not in called for f in self.functions) else None
        if was is None:
            return {}
        return {name: names[0] for name, names in lineage([was.functions, self.profile.functions]).items()}

    @cached_property
    def _past(self) -> Past:
        """Of the functions under both of their names."""
        if not {f.function for f in self.functions} & self.earlier.keys():
            return self._named_so
        return past(self.runtime, "hour", self.profile, self.functions, self.since, self.until, self.earlier)

    @cached_property
    def _named_so(self) -> Past:
        return past(self.runtime, "hour", self.profile, self.functions, self.since, self.until)

    @cached_property
    def _cold(self) -> frozenset[tuple[int, str]]:
        """The first hour of each release but the first; by (start, release)."""
        return frozenset(
            (r.first_unix_ns // HOUR_NS * HOUR_NS, r.name)
            for r in self.releases[1:]
            if r.last_unix_ns - r.first_unix_ns >= WARM_AFTER_NS
        )

    def _span(self, function: str, release: str) -> Mapping[str, FunctionStats]:
        return self.runtime.span(function, self.since, self.until, release=release)
