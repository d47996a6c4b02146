"""Which function on the stack owns a repetition.

The data say for every function above a statement how often one call of it ran the statement, and who calls whom. From
the call site outwards, the first function whose one call repeats the statement is the loop's owner:

    report()          1 call   →  40 executions     repeats only because order_list does
      order_list()    2 calls  →  20 executions     ◀── owns the loop
        Order.total() 40 calls →   1 execution      the call site
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from burnish.profile import FanOut, FunctionStats, Profile, QueryStats

Key = tuple[str, str, str, int]
"""statement id, and the site's function, file, line"""


@dataclass(frozen=True)
class Owner:
    """The owner of a repetition, and the functions from it down to the call site."""

    fan_out: FanOut
    path: tuple[str, ...]


@dataclass(frozen=True)
class Repetition:
    """One statement at one site: who owns its repetition (innermost, by name), and who only calls the owners."""

    owners: tuple[Owner, ...]
    covered: tuple[FanOut, ...]


def by_site(profile: Profile) -> Iterator[list[FanOut]]:
    """The fan-outs of each statement at each site, in order of site and statement."""
    groups: dict[Key, list[FanOut]] = {}
    for fan_out in profile.fan_outs:
        groups.setdefault(key(fan_out), []).append(fan_out)
    for name in sorted(groups, key=lambda k: (k[1:], k[0])):
        yield groups[name]


def key(row: FanOut | QueryStats) -> Key:
    """Names a statement at a site."""
    return row.statement_id, row.site.function, row.site.file, row.site.line


def repetition(
    group: list[FanOut], functions: Mapping[str, FunctionStats], repeats: Callable[[FanOut], bool]
) -> Repetition:
    """Looks outwards from the call site; above an owner it does not look further."""
    rows = {fan_out.function: fan_out for fan_out in group}
    start = group[0].site.function
    owners: list[Owner] = []
    waiting: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start}
    while waiting:
        path = waiting.popleft()
        row = rows.get(path[0])
        if row is not None and repeats(row):
            owners.append(Owner(row, path))
            continue
        for caller in _callers(path[0], functions):
            if caller in rows and caller not in seen:
                seen.add(caller)
                waiting.append((caller, *path))
    repeating = sorted((row for row in group if repeats(row)), key=lambda row: (row.executions.mean, row.function))
    if repeating and not owners:  # the chain of callers has a gap: the least repetition is the innermost
        owners.append(Owner(repeating[0], (repeating[0].function, start)))
    owning = {owner.fan_out.function for owner in owners}
    return Repetition(
        tuple(sorted(owners, key=lambda owner: owner.fan_out.function)),
        tuple(sorted((row for row in repeating if row.function not in owning), key=lambda row: row.function)),
    )


def _callers(function: str, functions: Mapping[str, FunctionStats]) -> Iterable[str]:
    stats = functions.get(function)
    return sorted(name for name in stats.callers if name) if stats else ()
