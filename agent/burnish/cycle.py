"""Read this first. One cycle: take in what production says, go on with what was waiting, start what is now worth most.

    refresh ─▶ go on with jobs (killed, merged, deployed) ─▶ detect, rank ─▶ start new jobs, within the limits

A job's own steps are in `burnish.steps`, the order of work in `burnish.rank`, the reasons in `burnish.why`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from burnish.errors import ConfigError, Unavailable
from burnish.finding import Candidate, Passed
from burnish.job import Job, PullRequest, State
from burnish.limits import held_back, not_ready
from burnish.plan import unanswered
from burnish.protocols import JobRunner
from burnish.report import Report
from burnish.steps import NEWS
from burnish.world import Ranking, World

NO_DATA = "there is no runtime data yet: run the service with the sensor (python -m burnish_sensor -- CMD)"


def run_cycle(world: World, jobs: JobRunner) -> Report:
    """One cycle, under the lease. Deterministic given (runtime data, commit, settings, backlog)."""
    windows = world.runtime.refresh()
    went_on, problems = go_on(world, jobs)
    ranking = world.assess()
    if ranking is None:
        return Report(windows=windows, went_on=went_on, problems=(*problems, NO_DATA))
    started, held, failed = start(world, jobs, ranking, went_on)
    return Report(
        windows=windows,
        release=ranking.profile.release,
        candidates=ranking.candidates,
        told=ranking.told,
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
        after = at_the_edge(job, world, problems, partial(as_far_as_it_gets, job, world, jobs))
        if after is not None:
            moved.append(after)
    return tuple(moved), tuple(problems)


def as_far_as_it_gets(job: Job, world: World, jobs: JobRunner) -> Job | None:
    """The job after all that can happen now; None where it still waits. Merged *and* deployed is taken in one go."""
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
    world: World, jobs: JobRunner, ranking: Ranking, went_on: Sequence[Job] = ()
) -> tuple[tuple[Job, ...], tuple[Passed, ...], tuple[str, ...]]:
    """Starts candidates in order until the limits are reached; a declined one makes room for the next.

    What a killed job that went on has opened in this cycle counts.
    """
    started: list[Job] = []
    held: list[Passed] = []
    problems: list[str] = []
    base = ""
    for place, candidate in enumerate(ranking.candidates, 1):
        moved = [*went_on, *started]
        finding = candidate.finding
        blocked = (
            world.blocked(finding) or unanswered(finding, world) or held_back(candidate, moved, len(started), world)
        )
        if blocked is not None:
            held.append(blocked)
            continue
        if not base:
            base = world.workspace.head()
            problem = not_ready(world, base)  # asked only when there is something to start: it may run the tests
            if problem:
                return (), tuple(held), (problem,)
        job = world.store.save(new_job(candidate, base, place, world))
        started.append(at_the_edge(job, world, problems, partial(jobs.advance, job)) or job)
    return tuple(started), tuple(held), tuple(problems)


def new_job(candidate: Candidate, base: str, place: int, world: World) -> Job:
    """A job at its first step."""
    now = world.clock.now()
    return Job(id=candidate.finding.fingerprint, candidate=candidate, base=base, rank=place, created_unix=now)


def at_the_edge(job: Job, world: World, problems: list[str], move: Callable[[], Job | None]) -> Job | None:
    """Moves a job; what fails outside is tried again in the next cycle, and one job's defect stops no other job."""
    try:
        return move()
    except Unavailable as error:
        problems.append(f"job {job.id} at {job.step.value}: {error}")
        return None
    except ConfigError:
        raise  # a person has to mend it before anything goes on
    except Exception as error:  # noqa: BLE001 -- the one place: the edge of a job
        reason = f"{type(error).__name__}: {error}"
        problems.append(f"job {job.id} failed and is given up for this code: {reason}")
        latest = world.store.job(job.id) or job
        return world.store.save(latest.model_copy(update={"state": State.FAILED, "detail": reason}))
