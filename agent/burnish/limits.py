"""What keeps a job from starting that has nothing to do with the candidate: limits, and the state of the repository."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.finding import Candidate, Passed
from burnish.job import Job, State, Step
from burnish.why import Why
from burnish.world import World


def held_back(candidate: Candidate, moved: Sequence[Job], tries: int, world: World) -> Passed | None:
    """The limit that this candidate would break; `moved` are the jobs that this cycle has moved so far."""
    limits, finding = world.limits, candidate.finding
    opened = sum(1 for job in moved if job.state is State.WAITING and job.step is Step.AWAIT_MERGE)
    waiting = sum(1 for job in world.store.unfinished() if job.step is Step.AWAIT_MERGE)
    for reached, text in (
        (opened >= limits.max_new, f"limits.max_new is {limits.max_new}"),
        (waiting >= limits.max_open, f"limits.max_open is {limits.max_open}"),
        (tries >= limits.max_tries, f"limits.max_tries is {limits.max_tries}"),
    ):
        if reached:
            return Passed(
                function=finding.function,
                by="limits",
                why=Why.HELD_BACK,
                detail=text,
                fingerprint=finding.fingerprint,
            )
    return None


def not_ready(world: World, base: str) -> str:
    """Why no job may start on this repository now; empty where one may."""
    dirty = world.workspace.dirty()
    if dirty:
        shown = ", ".join(dirty[:5]) + (" …" if len(dirty) > 5 else "")
        return f"{Why.DIRTY_REPOSITORY.sentence} Commit or stash it first: {shown}"
    check = world.prover.baseline(base).failure
    return f"{Why.RED_BASELINE.sentence} {check.summary}" if check else ""
