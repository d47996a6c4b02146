"""What the detectors of repetitions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from burnish.finding import Finding, Passed
from burnish.profile import FanOut, FunctionStats, Profile
from burnish.why import Why
from burnish_tools.detectors._measure import MS, client_ns, mean_low
from burnish_tools.detectors._sql import is_select, locks, tables, written
from burnish_tools.detectors._stack import Owner, Repetition, by_site, key, repetition

Cost = tuple[float, float]
"""Of one execution, in ns: in the database and around it, both as lower bounds."""
Reason = tuple[Why, str]


def judged(
    name: str,
    profile: Profile,
    repeats: Callable[[FanOut], bool],
    against: Callable[[FanOut, FunctionStats | None], Reason | None],
    found: Callable[[Owner, FunctionStats, Cost], Finding],
) -> Iterator[Finding | Passed]:
    """Each SELECT that some function repeats: a finding for the loop's owner, or what speaks against one."""
    functions = {stats.function: stats for stats in profile.functions}
    means = {key(query): mean_low(query.wall) for query in profile.queries}
    client = client_ns(profile)
    for group in by_site(profile):
        if not is_select(group[0].statement):
            continue
        repeated = repetition(group, functions, repeats)
        for owner in repeated.owners:
            row, stats = owner.fan_out, functions.get(owner.fan_out.function)
            reason = against(row, stats)
            if reason is not None or stats is None:
                why, detail = reason or (Why.NOT_ENOUGH_CALLS, "no call of it has ended")
                yield Passed(function=row.function, by=name, why=why, detail=detail)
            else:
                yield found(owner, stats, (means.get(key(row), 0.0), client))
        yield from covered(name, repeated)


def different(row: FanOut) -> float:
    """Executions per call with parameters that were new in that call.

    This one number tells the two kinds of repetition apart: a loop over rows asks with the parameters of each row
    (though rows may share parents), a forgotten local variable asks the same one question.
    """
    return (row.executions.sum - row.identical) / max(row.calls, 1)


def writes(profile: Profile) -> dict[str, dict[str, str]]:
    """Tables written in one call of each function, its callees included, with the statement."""
    found: dict[str, dict[str, str]] = {}
    for row in profile.fan_outs:
        table = written(row.statement, row.system)
        if table is not None:
            found.setdefault(row.function, {})[table] = row.statement
    return found


def load_bearing(row: FanOut, written_in: Mapping[str, Mapping[str, str]]) -> Reason | None:
    """Why each repetition may be needed: it locks rows, or the same call (`writes`) writes to a table that it reads."""
    if locks(row.statement):
        return Why.LOAD_BEARING, "it takes a row lock"
    here = written_in.get(row.function, {})
    read = tables(row.statement, row.system) if here else frozenset()
    touched = sorted(table for table in here if table in read or not table or not read)
    if touched:
        return Why.LOAD_BEARING, f"the same call writes to {touched[0] or 'a table that could not be read'}"
    return None


def told(cost: Cost) -> str:
    """What one execution costs in the database and around it (ns), as a sentence."""
    around = f" and {cost[1] / MS:.2f} ms around it" if cost[1] else ""
    return f"One execution takes at least {cost[0] / MS:.2f} ms in the database{around}."


def once(name: str, seen: Iterable[Finding | Passed]) -> Iterator[Finding | Passed]:
    """Each cause once: of findings with one fingerprint (a statement at two sites) the dearest, the others passed."""
    best: dict[str, Finding] = {}
    passed: list[Passed] = []
    for one in seen:
        if isinstance(one, Passed):
            passed.append(one)
            continue
        other = best.setdefault(one.fingerprint, one)
        if other is one:
            continue
        dear, cheap = sorted((other, one), key=lambda f: -f.removable_ns)
        best[one.fingerprint] = dear
        passed.append(_duplicate(name, cheap, dear))
    yield from sorted(best.values(), key=lambda f: (f.function, f.evidence.statement_id))
    yield from _told_once(passed)


def _told_once(passed: Iterable[Passed]) -> Iterator[Passed]:
    """One answer for each function and reason, with up to three details."""
    groups: dict[tuple[str, str], list[Passed]] = {}
    for one in sorted(set(passed), key=lambda p: (p.function, p.why.value, p.detail)):
        groups.setdefault((one.function, one.why.value), []).append(one)
    for group in groups.values():
        details = [one.detail for one in group[:3]] + ([f"and {len(group) - 3} more"] if len(group) > 3 else [])
        yield group[0].model_copy(update={"detail": "; ".join(details)})


def covered(name: str, found: Repetition) -> Iterator[Passed]:
    """The functions above the owners."""
    owners = " and ".join(owner.fan_out.function for owner in found.owners)
    for row in found.covered:
        yield Passed(function=row.function, by=name, why=Why.DUPLICATE, detail=f"it repeats only because {owners} does")


def _duplicate(name: str, cheap: Finding, dear: Finding) -> Passed:
    sites = [f"line {f.evidence.site.line}" for f in (cheap, dear) if f.evidence.site]
    detail = f"the same statement at {' and at '.join(sites)}; the dearer one is reported"
    return Passed(function=cheap.function, by=name, why=Why.DUPLICATE, detail=detail, fingerprint=dear.fingerprint)
