"""Everything that the steps need, in one frozen value: the adapters behind their Protocols, the settings, the state."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from burnish.backlog import Priors, blocked, learnt
from burnish.finding import Candidate, Finding, Passed, Told
from burnish.job import Job
from burnish.profile import LineTime, Profile
from burnish.protocols import (
    Clock,
    Database,
    Detector,
    Forge,
    ModelAdapter,
    Prover,
    Recipe,
    Runtime,
    Workspace,
)
from burnish.rank import rank
from burnish.risk import RiskSettings
from burnish.settings import LimitSettings, RankSettings, VerdictSettings
from burnish.store import Store


@dataclass(frozen=True)
class Ranking:
    """What production says now, in the order of work."""

    profile: Profile
    candidates: tuple[Candidate, ...]
    told: tuple[Told, ...]
    """Findings that are shown and never proposed, the dearest per week first."""
    passed: tuple[Passed, ...]

    def place(self, function: str) -> int:
        """1 for the function of the best candidate; 0 where it is no candidate."""
        places = (i for i, c in enumerate(self.candidates, 1) if c.finding.function == function)
        return next(places, 0)


@dataclass(frozen=True)
class World:
    """The collaborators. `watch(job, step)` is told when a step begins and ends, for progress."""

    runtime: Runtime
    database: Database | None
    detectors: Sequence[Detector]
    recipes: Sequence[Recipe]
    workspace: Workspace
    prover: Prover
    forge: Forge
    model: ModelAdapter | None
    store: Store
    clock: Clock
    limits: LimitSettings = field(default_factory=LimitSettings)
    ranking: RankSettings = field(default_factory=RankSettings)
    verdicts: VerdictSettings = field(default_factory=VerdictSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    lines: Callable[[int], tuple[LineTime, ...]] = lambda since_unix_ns: ()
    """Self time by line from sampling profiles that were written since."""
    remarks: Callable[[Finding, Profile], tuple[str, ...]] = lambda finding, profile: ()
    """What others know of a finding, as sentences: they are added to its notes."""
    begins: Callable[[Job], None] = lambda job: None
    ends: Callable[[Job], None] = lambda job: None

    def priors(self) -> Priors:
        """What finished jobs have taught."""
        return learnt(self.store.jobs())

    def assess(self, release: str | None = None) -> Ranking | None:
        """Detects and ranks on a release (default: the newest); None where there is no data."""
        profile = self.runtime.profile(release)
        if profile is None:
            return None
        profile = profile.model_copy(update={"lines": self.lines(profile.start_unix_ns)})
        findings, passed = self._detect(profile)
        ranked = rank(findings, self.priors(), self._risks(), self.ranking)
        return Ranking(profile, ranked.candidates, ranked.told, (*passed, *ranked.passed))

    def blocked(self, finding: Finding) -> Passed | None:
        """Why the backlog stands against a finding."""
        return blocked(finding, self.store.jobs())

    def random(self, purpose: str) -> random.Random:
        """Reproducible randomness, different for each purpose."""
        return random.Random(purpose)

    def _detect(self, profile: Profile) -> tuple[list[Finding], list[Passed]]:
        findings: list[Finding] = []
        passed: list[Passed] = []
        for detector in self.detectors:
            for seen in detector.detect(profile, self.runtime, self.database):
                if isinstance(seen, Finding):
                    findings.append(self._remarked(seen, profile))
                else:
                    passed.append(seen)
        return findings, passed

    def _remarked(self, finding: Finding, profile: Profile) -> Finding:
        remarks = self.remarks(finding, profile)
        if not remarks:
            return finding
        evidence = finding.evidence.model_copy(update={"notes": (*finding.evidence.notes, *remarks)})
        return finding.model_copy(update={"evidence": evidence})

    def _risks(self) -> Mapping[str, float]:
        """The least risk of the recipes for each kind of finding."""
        risks: dict[str, float] = {}
        for recipe in self.recipes:
            for kind in recipe.kinds:
                risks[kind] = min(risks.get(kind, recipe.risk), recipe.risk)
        return risks
