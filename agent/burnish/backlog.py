"""What has been tried, and what it teaches: which proposals are not made again, and how the priors move.

Two priors are learnt from finished jobs:

- `chance`: how likely a candidate of a kind ends as a confirmed fix. A Beta(4, 1) prior, so that an untried kind starts
  at 0.8; each finished job of the kind counts one.
- `transfer`: which share of a benchmark's saving production shows. Starts at 0.85 with the weight of four verdicts and
  moves to their mean; it scales every later promise.
"""

from __future__ import annotations

from collections.abc import Iterable

from burnish.finding import Finding, Model, Passed
from burnish.job import Job, Outcome, State
from burnish.why import Why

CHANCE_SUCCESSES, CHANCE_FAILURES = 4.0, 1.0
TRANSFER_START, TRANSFER_WEIGHT = 0.85, 4.0


class Priors(Model):
    """What finished jobs have taught so far."""

    finished: dict[str, int] = {}
    """Jobs that ended, by kind of finding."""
    confirmed: dict[str, int] = {}
    transfers: tuple[float, ...] = ()
    """Measured ÷ proven saving of each verdict, capped at 1."""

    def chance(self, kind: str) -> float:
        """Posterior mean of the chance that a candidate of this kind ends as a confirmed fix."""
        successes = CHANCE_SUCCESSES + self.confirmed.get(kind, 0)
        return successes / (CHANCE_SUCCESSES + CHANCE_FAILURES + self.finished.get(kind, 0))

    @property
    def transfer(self) -> float:
        """Share of a proven saving that production is expected to show."""
        return (TRANSFER_START * TRANSFER_WEIGHT + sum(self.transfers)) / (TRANSFER_WEIGHT + len(self.transfers))


def learnt(jobs: Iterable[Job]) -> Priors:
    """The priors after these jobs. A function of the jobs alone, so that nothing is ever counted twice."""
    finished: dict[str, int] = {}
    confirmed: dict[str, int] = {}
    transfers: list[float] = []
    for job in sorted(jobs, key=lambda j: (j.created_unix, j.id)):
        if job.state not in (State.DONE, State.DECLINED):
            continue
        kind = job.finding.kind
        finished[kind] = finished.get(kind, 0) + 1
        if job.verdict is not None and job.verdict.outcome in (Outcome.CONFIRMED, Outcome.WEAKER):
            confirmed[kind] = confirmed.get(kind, 0) + 1
        transfers.extend(_transfer(job))
    return Priors(finished=finished, confirmed=confirmed, transfers=tuple(transfers))


def _transfer(job: Job) -> Iterable[float]:
    if job.verdict is None or job.prediction is None or job.verdict.outcome is Outcome.INCONCLUSIVE:
        return
    proven = job.prediction.time_saving.value / job.prediction.transfer
    if proven > 0:
        yield min(max(job.verdict.time_saving.value / proven, 0.0), 1.0)


def blocked(finding: Finding, jobs: Iterable[Job]) -> Passed | None:
    """Why this finding is not to be tried now; None where nothing stands against it."""
    for job in jobs:
        if job.state in (State.RUNNING, State.WAITING) and job.finding.function == finding.function:
            return _passed(finding, Why.IN_PROGRESS, f"job {job.id} is at {job.step.value}")
        if job.finding.fingerprint != finding.fingerprint:
            continue
        if job.state is State.DECLINED and job.why is Why.CLOSED_BY_PERSON:
            return _passed(finding, Why.REFUSED_BEFORE, job.detail)
        if job.state in (State.DECLINED, State.FAILED):
            reason = f"{job.why.sentence} {job.detail}" if job.why else job.detail
            return _passed(finding, Why.DECLINED_BEFORE, f"job {job.id}: {reason}")
        if job.state is State.DONE:
            return _passed(finding, Why.DECLINED_BEFORE, f"job {job.id} has been merged and judged for this very code")
    return None


def _passed(finding: Finding, why: Why, detail: str) -> Passed:
    return Passed(function=finding.function, by="backlog", why=why, detail=detail, fingerprint=finding.fingerprint)
