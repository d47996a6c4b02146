from __future__ import annotations

from pathlib import Path

import pytest

from burnish_sensor.identity import new_instance
from burnish_sensor.release import find_release
from burnish_sensor.settings import read_settings

COMMIT = "4f2c1ab" * 5 + "12345"


def test_instances_differ() -> None:
    assert new_instance() != new_instance()


def test_a_variable_of_the_platform_is_the_release(tmp_path: Path) -> None:
    assert find_release({"SOURCE_VERSION": " abc ", "K_REVISION": "r-2"}, str(tmp_path)) == "abc"


def git(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / ".git" / name.replace("packed_refs", "packed-refs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_commit_of_a_detached_head(tmp_path: Path) -> None:
    assert find_release({}, str(git(tmp_path, HEAD=COMMIT + "\n"))) == COMMIT


def test_the_commit_of_a_branch_from_a_folder_below(tmp_path: Path) -> None:
    git(tmp_path, **{"HEAD": "ref: refs/heads/main\n", "refs/heads/main": COMMIT + "\n"})
    (tmp_path / "service").mkdir()
    assert find_release({}, str(tmp_path / "service")) == COMMIT


def test_the_commit_of_a_packed_branch(tmp_path: Path) -> None:
    packed = f"# pack-refs\n{'0' * 40} refs/heads/maintenance\n{COMMIT} refs/heads/main\n^{'1' * 40}\n"
    assert find_release({}, str(git(tmp_path, HEAD="ref: refs/heads/main\n", packed_refs=packed))) == COMMIT


def test_the_commit_of_a_worktree(tmp_path: Path) -> None:
    git(
        tmp_path,
        **{
            "refs/heads/topic": COMMIT,
            "worktrees/topic/HEAD": "ref: refs/heads/topic\n",
            "worktrees/topic/commondir": "../..\n",
        },
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {tmp_path}/.git/worktrees/topic\n")
    assert find_release({}, str(tree)) == COMMIT


@pytest.mark.parametrize("head", ["", "ref: refs/heads/unborn\n"])
def test_a_release_that_cannot_be_found_is_unknown(head: str, tmp_path: Path) -> None:
    assert find_release({}, str(git(tmp_path, HEAD=head))) == "unknown"


def test_settings_have_defaults(tmp_path: Path) -> None:
    settings = read_settings({"BURNISH_RELEASE": "r"}, str(tmp_path))
    assert (settings.service, settings.environment, settings.release) == (tmp_path.name, "production", "r")
    assert (settings.output, settings.window_seconds) == (str(tmp_path.resolve() / ".burnish" / "windows"), 10.0)
    assert settings.enabled


@pytest.mark.parametrize(("text", "seconds"), [("0.5", 0.5), ("30", 30.0), ("often", 10.0), ("0", 10.0), ("nan", 10.0)])
def test_a_window_length_that_cannot_be_used_is_the_default(text: str, seconds: float, tmp_path: Path) -> None:
    assert read_settings({"BURNISH_WINDOW_SECONDS": text}, str(tmp_path)).window_seconds == seconds


@pytest.mark.parametrize("text", ["off", "OFF", "0", "false"])
def test_the_switch(text: str, tmp_path: Path) -> None:
    assert not read_settings({"BURNISH_SENSOR": text}, str(tmp_path)).enabled


@pytest.mark.parametrize(
    ("text", "budget"),
    [("", 0.01), ("0.05", 0.05), ("1", 1.0), ("0", 0.01), ("7", 0.01), ("a lot", 0.01), ("nan", 0.01)],
)
def test_the_budget_is_a_share_or_the_default(text: str, budget: float, tmp_path: Path) -> None:
    assert read_settings({"BURNISH_BUDGET": text}, str(tmp_path)).budget == budget
