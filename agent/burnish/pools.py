"""The releases on either side of a fix: where one release is replaced before it says enough, several speak together.

    a      a     │ b        c        d         deployed every hour
    without fix  │ with it: b, c and d are one "after", as long as the function's code is that of b

A release counts as "after" if git says that it contains the merge and the function's body in it is the one of the first
such release: a later edit, or a revert, is not the fix. It counts as "before" if it is the one of the finding, or came
after that, does not contain the merge, is known to git and has the body of the finding. What else the releases changed
meets the entries that never reach the function too, and is taken out by the verdict's control (`burnish.compare`).
"""

from __future__ import annotations

from collections.abc import Iterator

from burnish.compare import Measured, Side, pooled
from burnish.job import Job
from burnish.profile import FunctionStats, Release
from burnish.releases import in_order
from burnish.world import World


def with_fix(job: Job, world: World, last: str = "") -> Iterator[list[Release]]:
    """The releases with the fix and its code: the first, the first two, and so on, up to and with `last`."""
    assert job.pull_request is not None
    found: list[Release] = []
    body = ""
    for release in in_order(world.runtime.releases()):
        if world.workspace.contains(release.name, job.pull_request.merge_commit):
            stats = seen(job, release.name, world)
            if stats is None or not body or stats.body == body:
                body = stats.body if stats else body
                found.append(release)
                yield list(found)
        if release.name == last:
            return


def without_fix(job: Job, world: World) -> list[str]:
    """The release of the finding, and those after it with the same code."""
    merge = job.pull_request.merge_commit if job.pull_request else ""
    ordered = [release.name for release in in_order(world.runtime.releases())]
    start = ordered.index(job.finding.release) + 1 if job.finding.release in ordered else len(ordered)
    found = [job.finding.release]
    for name in ordered[start:]:
        contains = world.workspace.contains
        if contains(name, name) and not contains(name, merge):
            stats = seen(job, name, world)
            found += [name] if stats is not None and stats.body == job.finding.body else []
    return found


def measured(job: Job, after: list[Release], world: World) -> Measured:
    """Both sides, ready to be judged."""
    before, now = (
        Side(
            pooled([world.runtime.series(job.finding.function, name) for name in names]),
            pooled([world.runtime.entry_series(name) for name in names]),
            world.verdicts,
        )
        for names in (without_fix(job, world), [release.name for release in after])
    )
    return Measured(before, now, world.verdicts, world.random(f"verdict {job.id} {after[-1].name}"))


def errors(job: Job, names: list[str], world: World) -> tuple[int, int]:
    """(errors, calls) of the function in these releases."""
    found = [stats for name in names if (stats := seen(job, name, world)) is not None]
    return sum(sum(stats.errors.values()) for stats in found), sum(stats.calls for stats in found)


def seen(job: Job, release: str, world: World) -> FunctionStats | None:
    """The function in a release; None where it was not called."""
    part = world.runtime.excerpt(job.finding.function, release)
    return part.function(job.finding.function) if part is not None else None
