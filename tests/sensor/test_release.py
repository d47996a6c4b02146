from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from burnish_sensor.release import find_environment, find_release, find_service, resource_attributes

COMMIT = "4f2c1ab" * 5 + "12345"


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


def test_a_commit_goes_before_a_version_and_a_version_before_nothing(tmp_path: Path) -> None:
    environ = {"K_REVISION": "shop-00017", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}
    assert find_release(environ, str(tmp_path)) == "shop-00017"
    (tmp_path / "REVISION").write_text(COMMIT + "\n")
    assert find_release(environ, str(tmp_path)) == COMMIT
    assert find_release({**environ, "GITHUB_SHA": "0" * 40}, str(tmp_path)) == "0" * 40
    assert find_release({**environ, "BURNISH_RELEASE": "mine"}, str(tmp_path)) == "mine"


def test_a_commit_that_another_tool_was_told_goes_before_git(tmp_path: Path) -> None:
    git(tmp_path, HEAD="1" * 40)
    assert find_release({"DD_VERSION": "1.2"}, str(tmp_path)) == "1" * 40
    assert find_release({"DD_VERSION": COMMIT}, str(tmp_path)) == COMMIT
    assert find_release({"OTEL_RESOURCE_ATTRIBUTES": f"service.version={COMMIT}"}, str(tmp_path)) == COMMIT


def test_a_lambda_function_without_versions_has_none(tmp_path: Path) -> None:
    assert find_release({"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}, str(tmp_path)) == "unknown"
    assert find_release({"AWS_LAMBDA_FUNCTION_VERSION": "7"}, str(tmp_path)) == "7"


def test_the_commit_of_a_real_repository_with_packed_references(tmp_path: Path) -> None:
    def run(*arguments: str, folder: Path = tmp_path) -> str:
        name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.run(
            ["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    run("init", "-q")
    run("commit", "-q", "--allow-empty", "-m", "one")
    run("pack-refs", "--all")
    run("worktree", "add", "-q", "-b", "topic", "tree")
    run("commit", "-q", "--allow-empty", "-m", "two", folder=tmp_path / "tree")
    assert find_release({}, str(tmp_path)) == run("rev-parse", "HEAD")
    assert find_release({}, str(tmp_path / "tree")) == run("rev-parse", "topic")


@pytest.mark.parametrize("text", ["", "two words", "x" * 300, "a\nb"])
def test_a_file_that_holds_no_version_is_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text(text)
    assert find_release({}, str(tmp_path)) == "unknown"
    (tmp_path / "VERSION").write_bytes(b"\xff\xfe")
    assert find_release({}, str(tmp_path)) == "unknown"


PROJECT = """
[build-system]
requires = ["x"]
version = "0"
[project]  # ours
name = 'The_Shop.App'
version = "2.4.1"  # set by hand
[project.urls]
version = "9"
"""


def test_the_version_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert find_release({}, str(tmp_path)) == "2.4.1"


def test_the_installed_version_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "the-shop.app"\ndynamic = ["version"]\n')
    assert find_release({}, str(tmp_path)) == "unknown"
    (tmp_path / "site" / "the_shop_app-3.0.1.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "the_shop-9.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site"), str(tmp_path / "none")])
    assert find_release({}, str(tmp_path)) == "3.0.1"


def test_the_environment() -> None:
    assert find_environment({}) == "production"
    assert find_environment({"ENVIRONMENT": "dev", "DD_ENV": "staging"}) == "staging"
    told = {"OTEL_RESOURCE_ATTRIBUTES": "a=b,deployment.environment.name=blue%20team", "DD_ENV": "staging"}
    assert find_environment(told) == "blue team"
    assert find_environment({**told, "BURNISH_ENVIRONMENT": "test"}) == "test"


def test_the_service() -> None:
    assert find_service({}, "/srv/shop") == "shop"
    assert find_service({}, "/") == "service"
    assert find_service({"DD_SERVICE": "a"}, "/srv/shop") == "a"
    assert find_service({"DD_SERVICE": "a", "OTEL_SERVICE_NAME": "b"}, "/srv/shop") == "b"
    assert find_service({"OTEL_SERVICE_NAME": "b", "BURNISH_SERVICE": "c"}, "/srv/shop") == "c"


@pytest.mark.parametrize("text", ["", ",", "=", "a", "%", "a=%zz", "a=%ff", "a=b=c"])
def test_attributes_that_are_not_well_formed_do_no_harm(text: str) -> None:
    assert set(resource_attributes({"OTEL_RESOURCE_ATTRIBUTES": text})) <= {"", "a", "%"}
