"""Findings in the order of work: expected saving × chance of success ÷ risk.

    saving = calls per minute (lower end) × removable time per call (lower bound)
    score  = saving × chance(kind) ÷ risk

Ties are broken by the function's name and the kind, so that the same data always give the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch

from burnish.backlog import Priors
from burnish.job import Candidate, Finding, Passed
from burnish.settings import RankSettings
from burnish.why import Why

ENTRY_RISK = 0.05
"""Each further entry that reaches a function adds this share of risk: more callers, more ways to be surprised."""


def rank(
    findings: Iterable[Finding], priors: Priors, risks: Mapping[str, float], settings: RankSettings
) -> tuple[list[Candidate], list[Passed]]:
    """Candidates, best first, and what was left out with the reason. `risks` is by kind of finding (≥ 1)."""
    candidates: list[Candidate] = []
    passed: list[Passed] = []
    for finding in findings:
        candidate = _candidate(finding, priors, risks.get(finding.kind, 2.0))
        reason = _left_out(candidate, settings)
        if reason is None:
            candidates.append(candidate)
        else:
            passed.append(reason)
    candidates.sort(key=lambda c: (-c.score, c.finding.function, c.finding.kind, c.finding.fingerprint))
    return candidates, passed


def _candidate(finding: Finding, priors: Priors, recipe_risk: float) -> Candidate:
    saving = max(finding.calls_per_minute.low, 0.0) * finding.removable_ns
    risk = recipe_risk * (1 + ENTRY_RISK * max(len(finding.entries) - 1, 0))
    return Candidate(finding=finding, saving_ns_per_minute=saving, chance=priors.chance(finding.kind), risk=risk)


def _left_out(candidate: Candidate, settings: RankSettings) -> Passed | None:
    finding, saving_ms = candidate.finding, candidate.saving_ns_per_minute / 1e6
    if finding.informs:
        return _passed(finding, Why.FOR_PEOPLE, f"{finding.seconds_per_week:,.0f} s per week")
    if finding.kind in settings.observe:
        return _passed(finding, Why.ONLY_OBSERVED, f"rank.observe names {finding.kind}")
    quiet = next((pattern for pattern in settings.quiet_paths if fnmatch(finding.file, pattern)), None)
    if quiet:
        return _passed(finding, Why.QUIET_PATH, f"{finding.file} matches {quiet!r}")
    if saving_ms < settings.min_saving_ms_per_minute:
        return _passed(
            finding,
            Why.NOT_WORTH_IT,
            f"at least {saving_ms:.1f} ms per minute could be saved, "
            f"rank.min_saving_ms_per_minute is {settings.min_saving_ms_per_minute:g}",
        )
    return None


def _passed(finding: Finding, why: Why, detail: str) -> Passed:
    return Passed(
        function=finding.function,
        by="rank",
        why=why,
        detail=f"{finding.kind}: {detail}",
        fingerprint=finding.fingerprint,
    )
