"""What profilers and the database know reaches the findings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from burnish.testing import windows as w
from burnish_tools.detectors.cpu_hot import CpuHot
from tests.agent.scenario import git
from tests.agent.test_app import app
from tests.tools.detectors.shapes import store

PROFILE = Path(__file__).parents[1] / "tools" / "sources" / "data" / "pyspy.speedscope.json"
VIEW = "shop.scoring:score"


def test_lines_of_profiles_and_remarks_of_the_database_are_in_the_evidence(tmp_path: Path) -> None:
    """
    profiles/a.speedscope.json   206 samples in shop/scoring.py, 203 of them in score() ──▶ "… in line 10."
    """
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    (tmp_path / "profiles").mkdir()
    shutil.copyfile(PROFILE, tmp_path / "profiles" / "a.speedscope.json")
    row = w.calls(VIEW, 20, wall_ms=24, own_ms=22, file="shop/scoring.py")
    runtime, profile = store(tmp_path, calls=[row])
    function = profile.functions[0]
    assert function.line <= 10 <= function.end_line, function

    built = app(tmp_path, '[runtime]\nprofiles = "profiles"\n').world
    world = replace(
        built,
        runtime=runtime,
        detectors=[CpuHot(CpuHot.Settings())],
        remarks=lambda finding, profile: (f"Known of {finding.function}.",),
    )
    ranking = world.assess()
    assert ranking is not None
    (candidate,) = ranking.candidates
    notes = candidate.finding.evidence.notes
    assert "samples in profiles are in line 10." in notes[1]
    assert notes[2:] == (f"Known of {VIEW}.",)
    assert replace(world, lines=built.lines).lines(2**62) == ()  # files older than the release do not count
