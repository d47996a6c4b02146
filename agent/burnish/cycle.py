"""Read this first. One cycle: take in what production says, go on with what was waiting, start what is now worth most.

    refresh ─▶ go on with jobs (killed, merged, deployed) ─▶ detect, rank ─▶ start new jobs, within the limits

A job's own steps are in `burnish.steps`, the order of work in `burnish.rank`, the reasons in `burnish.why`.
"""

from __future__ import annotations

from typing import Any, Protocol

from burnish.errors import Unavailable
from burnish.job import Candidate, Job, Model, Passed, PullRequest, State, Step
from burnish.steps import NEWS
from burnish.why import Why
from burnish.world import Ranking, World

NO_DATA = "there is no runtime data yet: run the service with the sensor (python -m burnish_sensor -- CMD)"


class JobRunner(Protocol):
    """Runs jobs durably: `burnish.graph.Jobs`."""

    def advance(self, job: Job) -> Job:
        """Runs a new or killed job until it waits or ends."""

    def resume(self, job: Job, news: dict[str, Any]) -> Job:
        """Ends a wait with what has happened."""


class Report(Model):
    """What one cycle did."""

    windows: int = 0
    """Windows of runtime data that were new."""
    release: str = ""
    candidates: tuple[Candidate, ...] = ()
    """In the order of work."""
    went_on: tuple[Job, ...] = ()
    started: tuple[Job, ...] = ()
    passed: tuple[Passed, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be done now and is tried again in the next cycle."""


def run_cycle(world: World, jobs: JobRunner) -> Report:
    """One cycle, under the lease. Deterministic given (runtime data, commit, settings, backlog)."""
    windows = world.runtime.refresh()
    went_on, problems = go_on(world, jobs)
    ranking = world.assess()
    if ranking is None:
        return Report(windows=windows, went_on=went_on, problems=(*problems, NO_DATA))
    started, held, failed = start(world, jobs, ranking)
    return Report(
        windows=windows,
        release=ranking.profile.release,
        candidates=ranking.candidates,
        went_on=went_on,
        started=started,
        passed=(*ranking.passed, *held),
        problems=(*problems, *failed),
    )


def go_on(world: World, jobs: JobRunner) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Killed jobs go on where they were; waiting jobs go on where there is news."""
    moved: list[Job] = []
    problems: list[str] = []
    for job in world.store.unfinished():
        try:
            after = _moved(job, world, jobs)
        except Unavailable as error:
            problems.append(f"job {job.id} at {job.step.value}: {error}")
            continue
        if after is not None:
            moved.append(after)
    return tuple(moved), tuple(problems)


def _moved(job: Job, world: World, jobs: JobRunner) -> Job | None:
    """The job as far as it gets now; None where it still waits. Merged *and* deployed is taken in one go."""
    moved = None
    if job.step not in NEWS:
        job = moved = jobs.advance(job)
    while job.state in (State.RUNNING, State.WAITING) and job.step in NEWS:
        news = NEWS[job.step](job, world)
        if news is None:
            break
        job = moved = jobs.resume(job, news.model_dump() if isinstance(news, PullRequest) else {"release": news})
    return moved


def start(
    world: World, jobs: JobRunner, ranking: Ranking
) -> tuple[tuple[Job, ...], tuple[Passed, ...], tuple[str, ...]]:
    """Starts candidates in order until the limits are reached; a declined one makes room for the next."""
    started: list[Job] = []
    held: list[Passed] = []
    problems: list[str] = []
    base = world.workspace.head()
    problem = not_ready(world, base) if ranking.candidates else ""
    if problem:
        return (), (), (problem,)
    for place, candidate in enumerate(ranking.candidates, 1):
        blocked = world.blocked(candidate.finding) or _over_limit(candidate, started, world)
        if blocked is not None:
            held.append(blocked)
            continue
        job = world.store.save(new_job(candidate, base, place, world))
        try:
            started.append(jobs.advance(job))
        except Unavailable as error:
            problems.append(f"job {job.id}: {error}")
            started.append(job)
    return tuple(started), tuple(held), tuple(problems)


def new_job(candidate: Candidate, base: str, place: int, world: World) -> Job:
    """A job at its first step."""
    now = world.clock.now()
    return Job(id=candidate.finding.fingerprint, candidate=candidate, base=base, rank=place, created_unix=now)


def not_ready(world: World, base: str) -> str:
    """Why no job may start on this repository now; empty where one may."""
    dirty = world.workspace.dirty()
    if dirty:
        shown = ", ".join(dirty[:5]) + (" …" if len(dirty) > 5 else "")
        return f"{Why.DIRTY_REPOSITORY.sentence} Commit or stash it first: {shown}"
    check = world.prover.baseline(base).failure
    return f"{Why.RED_BASELINE.sentence} {check.summary}" if check else ""


def _over_limit(candidate: Candidate, started: list[Job], world: World) -> Passed | None:
    limits, finding = world.limits, candidate.finding
    opened = sum(1 for job in started if job.state is State.WAITING)
    waiting = sum(1 for job in world.store.unfinished() if job.step is Step.AWAIT_MERGE)
    for reached, text in (
        (opened >= limits.max_new, f"limits.max_new is {limits.max_new}"),
        (waiting >= limits.max_open, f"limits.max_open is {limits.max_open}"),
        (len(started) >= limits.max_tries, f"limits.max_tries is {limits.max_tries}"),
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
