"""Dead code: a function that used to be called and has not been for weeks, while its module's others are.

    orders/pricing.py                day 1 ──────────────────────────────── day 40 ──────────── day 70
      list_price()    line 10–20     ████████████████████████████████████████████████████████████████
      old_discount()  line 22–40     ███████████████████                       ◀── not called for 45 days
      total()         line 42–60     ████████████████████████████████████████████████████████████████

Definition: no call in the last N days, on all of which the service had its usual traffic, and a call before; other
functions of its file were called in these days.

It can be said only of functions that were called at least once since Burnish looks: a function that never ran is
unknown to the runtime data. And it has to be there still. In the release that ran when it was last called, it is. In a
later one it is where the function before it and the one after it are unchanged and as many lines apart as they were;
else nothing is said. What runs once a quarter, or in an emergency only, looks dead: so this informs, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from burnish.finding import Evidence, Finding, Interval, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import mean_high, mean_low

DAY_NS = 86_400_000_000_000
_USUAL = 0.2
"""A day has traffic where it has this share of the calls of the median day."""


class DeadCode:
    """Satisfies `burnish.protocols.Detector`."""

    name = "dead_code"

    class Settings(Section):
        """Dead code."""

        days: int = 30
        """Days without a call: longer than a month's end, the longest period that is common in services."""
        min_days_before: int = 3
        """Days on which it was called before: what ran once may have been a migration or a person trying it."""
        most: int = 50
        """Findings: this is the least urgent kind there is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """Functions that stopped being called. Most functions get no answer here: they were called."""
        if not profile.functions:
            return
        cut = profile.end_unix_ns // DAY_NS * DAY_NS - self.settings.days * DAY_NS
        if not self._had_traffic(runtime, cut, profile.end_unix_ns):
            return
        recent = runtime.profile(profile.release, since_unix_ns=cut) if profile.start_unix_ns < cut else profile
        if recent is None:
            return
        called = {stats.function for stats in recent.functions}
        bodies = {stats.body for stats in recent.functions if stats.body}
        for old in self._before(profile, runtime, cut):
            gone = [s for s in old.functions if s.function not in called and s.body not in bodies and s.file]
            yield from self._judged(gone, old, recent, runtime, cut)
            called |= {stats.function for stats in gone}

    def _had_traffic(self, runtime: Runtime, cut: int, end: int) -> bool:
        """Whether every full day since `cut`, and at least one before, had the service's usual traffic."""
        calls: dict[int, int] = {}
        since = cut - self.settings.min_days_before * DAY_NS
        for stretch in runtime.history("day", since_unix_ns=since, functions={""}):
            calls[stretch.start_unix_ns // DAY_NS] = calls.get(stretch.start_unix_ns // DAY_NS, 0) + stretch.calls
        if not calls or min(calls) * DAY_NS >= cut:
            return False
        usual = sorted(calls.values())[len(calls) // 2]
        return all(calls.get(day, 0) >= _USUAL * usual for day in range(cut // DAY_NS, end // DAY_NS))

    def _before(self, profile: Profile, runtime: Runtime, cut: int) -> Iterator[Profile]:
        """What ran before `cut`: the same release, where it is as old, and the one before it."""
        if profile.start_unix_ns < cut:
            yield profile
        begun = min(cut, profile.start_unix_ns)
        older = [release for release in runtime.releases() if release.first_unix_ns < begun]
        before = runtime.profile(older[-1].name) if older else None
        if before is not None:
            yield before

    def _judged(
        self, gone: Sequence[FunctionStats], old: Profile, recent: Profile, runtime: Runtime, cut: int
    ) -> Iterator[Finding | Passed]:
        if not gone:
            return
        days: dict[str, set[int]] = {}
        for stretch in runtime.history("day", functions={stats.function for stats in gone}):
            if stretch.calls:
                days.setdefault(stretch.function, set()).add(stretch.start_unix_ns // DAY_NS)
        neighbours = _by_file(old.functions)
        known = {stats.function: stats for stats in recent.functions}
        told = 0
        for stats in gone:
            seen = days.get(stats.function, set())
            if not seen or max(seen) * DAY_NS >= cut or not any(s.function in known for s in neighbours[stats.file]):
                continue
            ago = (recent.end_unix_ns - max(seen) * DAY_NS) // DAY_NS
            detail = f"last called {ago} days ago, on {len(seen)} days before that"
            if len(seen) < self.settings.min_days_before:
                yield Passed(function=stats.function, by=self.name, why=Why.RARE, detail=detail)
            elif old.release != recent.release and not _still_there(stats, neighbours[stats.file], known):
                detail += f"; whether release {recent.release[:12]} still has it cannot be told from the data"
                yield Passed(function=stats.function, by=self.name, why=Why.NOT_ENOUGH_HISTORY, detail=detail)
            elif told < self.settings.most:
                told += 1
                yield self._finding(stats, recent, max(seen), detail)

    def _finding(self, stats: FunctionStats, recent: Profile, last: int, detail: str) -> Finding:
        others = "Other functions of its file were called since; the service had traffic on every day."
        return Finding(
            kind=self.name,
            function=stats.function,
            file=stats.file,
            line=stats.line,
            body=stats.body,
            release=recent.release,
            entries=(),
            calls_per_minute=Interval(value=0.0, low=0.0, high=0.0, n=self.settings.days),
            wall_ns=Interval(
                value=stats.wall.mean, low=mean_low(stats.wall), high=mean_high(stats.wall), n=stats.wall.count
            ),
            removable_ns=0.0,
            evidence=Evidence(
                since_unix_ns=(last + 1) * DAY_NS,
                notes=(f"{detail[0].upper()}{detail[1:]}.", others, "What runs once a quarter looks the same."),
            ),
            informs=True,
        )


def _by_file(functions: Iterable[FunctionStats]) -> dict[str, list[FunctionStats]]:
    found: dict[str, list[FunctionStats]] = {}
    for stats in functions:
        found.setdefault(stats.file, []).append(stats)
    return {file: sorted(some, key=lambda s: (s.line, s.function)) for file, some in found.items()}


def _still_there(stats: FunctionStats, file: Sequence[FunctionStats], now: dict[str, FunctionStats]) -> bool:
    """Whether the nearest unchanged functions around it are as many lines apart as they were."""
    same = [s for s in file if s.body and s.function in now and now[s.function].body == s.body]
    before = [s for s in same if s.end_line < stats.line]
    after = [s for s in same if s.line > stats.end_line]
    if not before or not after:
        return False
    one, two = max(before, key=lambda s: s.end_line), min(after, key=lambda s: s.line)
    return now[two.function].line - now[one.function].end_line == two.line - one.end_line
