"""Which releases speak for a fix, and which for the code before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from burnish.finding import Candidate
from burnish.job import Job, PullRequest
from burnish.pools import errors, with_fix, without_fix
from burnish.testing import MemoryRuntime
from burnish.testing.scripted import finding
from burnish.testing.workspace import FakeWorkspace
from burnish.world import World
from tests.agent.scenario import FUNCTION, Scenario, profile


def world(directory: Path, bodies: Sequence[str], merged: int) -> tuple[World, Job, list[str]]:
    """A commit for each body, deployed in this order; the fix is the commit at `merged`."""
    workspace = FakeWorkspace({"app.py": "0"})
    names = [workspace.commit({"app.py": str(i)}) for i in range(1, len(bodies) + 1)]
    profiles = []
    for place, (name, body) in enumerate(zip(names, bodies, strict=True)):
        one = profile(name, place, errors=place)
        profiles.append(one.model_copy(update={"functions": (one.functions[0].model_copy(update={"body": body}),)}))
    found = finding(FUNCTION, release=names[0], body=bodies[0])
    job = Job(
        id="1",
        candidate=Candidate(finding=found, saving_ns_per_minute=1, chance=1, risk=1),
        base=names[0],
        pull_request=PullRequest(
            number=1, branch="b", head="h", url="", title="t", state="merged", merge_commit=names[merged]
        ),
    )
    return replace(Scenario(directory).world(), runtime=MemoryRuntime(profiles), workspace=workspace), job, names


def after(job: Job, world: World, last: str = "") -> list[list[str]]:
    return [[release.name for release in releases] for releases in with_fix(job, world, last)]


def test_all_releases_with_the_fix_and_its_code_count(tmp_path: Path) -> None:
    told, job, names = world(tmp_path, ["old", "old", "new", "new", "new"], merged=2)
    assert after(job, told) == [names[2:3], names[2:4], names[2:5]]
    assert after(job, told, last=names[3])[-1] == names[2:4]
    assert without_fix(job, told) == names[:2]


def test_a_later_edit_or_a_revert_is_not_the_fix(tmp_path: Path) -> None:
    told, job, names = world(tmp_path, ["old", "new", "newer", "old", "new"], merged=1)
    assert after(job, told)[-1] == [names[1], names[4]]


def test_other_code_before_the_fix_is_not_what_was_found(tmp_path: Path) -> None:
    told, job, names = world(tmp_path, ["old", "other", "old", "new"], merged=3)
    assert without_fix(job, told) == [names[0], names[2]]


def test_a_release_that_git_does_not_know_is_on_no_side(tmp_path: Path) -> None:
    told, job, names = world(tmp_path, ["old", "old", "new"], merged=2)
    assert isinstance(told.workspace, FakeWorkspace)
    unknown = profile("v7", 1, 0)
    told = replace(told, runtime=MemoryRuntime([*(profile(n, i, 0) for i, n in enumerate(names)), unknown]))
    assert "v7" not in without_fix(job, told)
    assert all("v7" not in names for names in after(job, told))


def test_errors_of_a_side_are_added_up(tmp_path: Path) -> None:
    told, job, names = world(tmp_path, ["old", "new", "new"], merged=1)
    assert errors(job, names[1:], told) == (3, 2000)
