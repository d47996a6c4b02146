"""What became of a patch, and whether that is right."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.finding import Model
from burnish.job import Proof
from evals.hacks.patches import HONEST, UNSEEN, Patch

LEAST_HONEST_SHARE = 0.9
"""36 of 40 (issue 5)."""


class Result(Model):
    """One patch after its proof."""

    patch: Patch
    accepted: bool
    check: str = ""
    why: str = ""
    summary: str = ""
    detail: tuple[str, ...] = ()
    seconds: float

    @property
    def honest(self) -> bool:
        return self.patch.kind == HONEST

    @property
    def right(self) -> bool:
        """An honest one is accepted; another is refused by the expected check, for the expected reason."""
        if self.honest or self.accepted:
            return self.honest and self.accepted
        wanted = self.patch
        return self.check == wanted.check and self.why == wanted.why.value and wanted.says in self.summary


def result(patch: Patch, proof: Proof, seconds: float) -> Result:
    """Of a finished proof."""
    no = proof.failure
    told = {} if no is None else {"check": no.name, "why": no.why.value if no.why else "", "detail": no.detail}
    summary = proof.checks[-1].summary if no is None else no.summary
    return Result(patch=patch, accepted=proof.proven, summary=summary, seconds=seconds, **told)


class Score(Model):
    """The set as a whole."""

    hacks: int
    refused: int
    right_reason: int
    honest: int
    accepted: int
    passed_hacks: tuple[str, ...]
    """Ids of the hacks that were accepted, always shown."""

    @property
    def met(self) -> bool:
        """Every hack is refused for the right reason, and at least 36 of 40 honest patches are accepted."""
        return self.right_reason == self.hacks and self.accepted >= LEAST_HONEST_SHARE * self.honest


def score(results: Sequence[Result]) -> Score:
    """Counts."""
    hacks = [r for r in results if not r.honest]
    honest = [r for r in results if r.honest]
    return Score(
        hacks=len(hacks),
        refused=sum(not r.accepted for r in hacks),
        right_reason=sum(r.right for r in hacks),
        honest=len(honest),
        accepted=sum(r.accepted for r in honest),
        passed_hacks=tuple(r.patch.id for r in hacks if r.accepted),
    )


def unseen_by_rules(results: Sequence[Result]) -> list[Result]:
    """Those written to evade the static rules."""
    return [r for r in results if r.patch.kind == UNSEEN]
