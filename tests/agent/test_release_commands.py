"""`burnish releases` and `burnish deployed` on a real dataset and a real repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.cli import main
from burnish.testing import windows as w
from tests.agent.scenario import git

F, G, H = "shop.views:f", "shop.views:g", "shop.views:h"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three releases: the first commit, the second, and one that git does not know, beside the second."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "burnish.toml").write_text(
        '[service]\nname = "shop"\nrepository = "origin.git"\n[runtime]\nwindows = "windows"\n', encoding="utf-8"
    )
    checkout = tmp_path / "checkout"
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", str(checkout))
    commits = []
    for n in range(2):
        (checkout / "app.py").write_text(f"x = {n}\n", encoding="utf-8")
        git(checkout, "add", "app.py")
        git(checkout, "commit", "-qm", str(n))
        commits.append(git(checkout, "rev-parse", "HEAD"))
    git(checkout, "push", "-q", "origin", "HEAD:main")
    for release, sequence, bodies in (
        (commits[0], 0, {F: "1", G: "2"}),
        (commits[1], 10, {F: "9", H: "2"}),
        (commits[1], 30, {F: "9", H: "2"}),
    ):
        line = w.window(calls=dict.fromkeys(bodies, 5), release=release, sequence=sequence, bodies=bodies)
        w.write(tmp_path / "windows", line)
    w.write(tmp_path / "windows", w.window(calls={F: 1}, release="v7", instance="two", sequence=20))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    streams = capsys.readouterr()
    return streams.err if status else streams.out


def test_releases_with_their_ancestry_and_changes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = json.loads(said(capsys, "releases", "--json"))
    assert [first["in_base"], second["in_base"], third["in_base"]] == [True, True, None]
    assert (first["calls"], first["functions"]) == (10, None)
    assert second["functions"] == {
        "before": first["name"], "new": [], "removed": [], "changed": [F], "renamed": {H: G},
    }  # fmt: skip
    assert (third["name"], third["outlived_by"], second["beside"]) == ("v7", second["name"], ["v7"])
    table = said(capsys, "releases")
    assert "1 renamed or moved" in table
    assert "a canary, or rolled back" in table


def test_the_last_ones_only(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = json.loads(said(capsys, "releases", "--last", "1", "--json"))
    assert one["name"] == "v7"
    assert one["functions"]["removed"] == [H]
    assert "The last 1 of 3 releases" in said(capsys, "releases", "--last", "1")


def test_a_marker_is_joined_by_name(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "deployed", "v7", "--at", "1970-01-01T01:20:00+01:00", "--by", "ci")
    assert told == "marked v7 as deployed to production at 1970-01-01 00:20:00 UTC\n"
    assert json.loads(said(capsys, "deployed", "v8", "--at", "1300.5", "--json"))["unix_ns"] == 1_300_500_000_000
    *_, v7, v8 = json.loads(said(capsys, "releases", "--json"))
    assert v7["marker"] == {"release": "v7", "unix_ns": 1_200_000_000_000, "by": "ci"}
    assert (v8["name"], v8["windows"], v8["marker"]["by"]) == ("v8", 0, "")
    table = said(capsys, "releases")
    assert "by ci" in table
    assert "no window of it has come" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("v7", "--at", "yesterday"), "'yesterday' is no time: write 2026-"),
        (("v7", "--at", "nan"), "'nan' is no time"),
        (("v7", "--at", "9999-01-01"), "lies in the future"),
        ((" ",), "the name of a release must not be empty"),
    ],
)
def test_wrong_use_is_told(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert message in said(capsys, "deployed", *arguments, status=2)


def test_without_a_repository_ancestry_is_unknown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "origin.git").rename(place / "elsewhere")
    assert {row["in_base"] for row in json.loads(said(capsys, "releases", "--json"))} == {None}
