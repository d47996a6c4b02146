"""Findings in the order of work: expected saving × chance of success ÷ risk.

    saving = calls per minute (lower end) × removable time per call (lower bound)
    score  = saving × chance(kind) ÷ risk

What is for people to decide, and what the configuration wants observed only, is *told* and stands in the order of its
cost per week. Ties are broken by the function's name and the kind, so that the same data always give the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import NamedTuple

from burnish.backlog import Priors
from burnish.finding import Candidate, Finding, Passed, Told
from burnish.settings import RankSettings
from burnish.why import Why

ENTRY_RISK = 0.05
"""Each further entry that reaches a function adds this share of risk: more callers, more ways to be surprised."""


class Ranked(NamedTuple):
    """Every finding in one of three places."""

    candidates: tuple[Candidate, ...]
    """In the order of work."""
    told: tuple[Told, ...]
    """Shown and never proposed, the dearest per week first."""
    passed: tuple[Passed, ...]
    """Left alone, with the reason."""


def rank(findings: Iterable[Finding], priors: Priors, risks: Mapping[str, float], settings: RankSettings) -> Ranked:
    """Candidates, what is only told, and what is left alone. `risks` is by kind of finding (≥ 1)."""
    candidates: list[Candidate] = []
    told: list[Told] = []
    passed: list[Passed] = []
    for finding in findings:
        candidate = _candidate(finding, priors, risks.get(finding.kind, 2.0))
        place = _quiet(finding, settings) or _told(finding, settings) or _not_worth_it(candidate, settings)
        if isinstance(place, Told):
            told.append(place)
        elif isinstance(place, Passed):
            passed.append(place)
        else:
            candidates.append(candidate)
    candidates.sort(key=lambda c: (-c.score, *_name(c.finding)))
    told.sort(key=lambda t: (-t.finding.seconds_per_week, *_name(t.finding)))
    return Ranked(tuple(candidates), tuple(told), tuple(passed))


def _name(finding: Finding) -> tuple[str, str, str]:
    return finding.function, finding.kind, finding.fingerprint


def _candidate(finding: Finding, priors: Priors, recipe_risk: float) -> Candidate:
    saving = max(finding.calls_per_minute.low, 0.0) * finding.removable_ns
    risk = recipe_risk * (1 + ENTRY_RISK * max(len(finding.entries) - 1, 0))
    return Candidate(finding=finding, saving_ns_per_minute=saving, chance=priors.chance(finding.kind), risk=risk)


def _quiet(finding: Finding, settings: RankSettings) -> Passed | None:
    quiet = next((pattern for pattern in settings.quiet_paths if fnmatch(finding.file, pattern)), None)
    return _passed(finding, Why.QUIET_PATH, f"{finding.file} matches {quiet!r}") if quiet else None


def _told(finding: Finding, settings: RankSettings) -> Told | None:
    if finding.informs:
        return Told(finding=finding, why=Why.FOR_PEOPLE)
    if finding.kind in settings.observe:
        return Told(finding=finding, why=Why.ONLY_OBSERVED, detail=f"rank.observe names {finding.kind}")
    return None


def _not_worth_it(candidate: Candidate, settings: RankSettings) -> Passed | None:
    saving_ms = candidate.saving_ns_per_minute / 1e6
    if saving_ms >= settings.min_saving_ms_per_minute:
        return None
    detail = (
        f"at least {saving_ms:.1f} ms per minute could be saved, "
        f"rank.min_saving_ms_per_minute is {settings.min_saving_ms_per_minute:g}"
    )
    return _passed(candidate.finding, Why.NOT_WORTH_IT, detail)


def _passed(finding: Finding, why: Why, detail: str) -> Passed:
    return Passed(
        function=finding.function,
        by="rank",
        why=why,
        detail=f"{finding.kind}: {detail}",
        fingerprint=finding.fingerprint,
        kind=finding.kind,
    )
