"""The composition root: what the configuration names is what is built, and late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from burnish.app import App
from burnish.errors import ConfigError, Unavailable, UsageError
from tests.agent.scenario import git

LEAST = '[service]\nname = "shop"\nrepository = "origin.git"\n'


def app(directory: Path, text: str = "", **environment: str) -> App:
    path = directory / "burnish.toml"
    path.write_text(LEAST + text, encoding="utf-8")
    return App(path, environment)


def test_paths_are_relative_to_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    built = app(tmp_path, '[proof]\ndatabase = "sqlite:///snapshot.sqlite3"\n')
    monkeypatch.chdir(elsewhere)
    assert built.state == tmp_path / ".burnish"
    assert built.prover.settings.database == f"sqlite:///{tmp_path / 'snapshot.sqlite3'}"  # type: ignore[attr-defined]
    assert built.runtime.refresh() == 0
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "attribute", "variable"),
    [
        ('[forge]\nkind = "github"\nrepository = "team/shop"\n', "forge", "GITHUB_TOKEN"),
        ('[model]\nname = "claude-opus-5-5"\n', "model", "ANTHROPIC_API_KEY"),
    ],
)
def test_github_and_the_model_are_off_until_asked_for_and_need_their_secret(
    tmp_path: Path, text: str, attribute: str, variable: str
) -> None:
    assert app(tmp_path).model is None
    with pytest.raises(ConfigError, match=f"environment variable {variable} is not set"):
        getattr(app(tmp_path, text), attribute)
    built = getattr(app(tmp_path, text, **{variable: "test"}), attribute)
    assert type(built).__name__ in ("GitHubForge", "AnthropicModel")


def test_the_desk_is_local_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="on GitHub the pull request is the desk"):
        _ = app(tmp_path, '[forge]\nkind = "github"\nrepository = "team/shop"\n', GITHUB_TOKEN="test").local_forge


def test_the_dataset_is_in_a_file_or_on_the_server_that_the_url_names(tmp_path: Path) -> None:
    store = app(tmp_path, '[runtime]\ndatabase = "data/windows.sqlite3"\n').open_dataset()
    assert list(store.services()) == []
    assert (tmp_path / "data" / "windows.sqlite3").exists()
    server = app(
        tmp_path, '[runtime]\ndatabase = "clickhouse://me@127.0.0.1:1/burnish"\n', BURNISH_CLICKHOUSE_PASSWORD="p4ss"
    )
    for ask in (server.open_dataset, lambda: server.runtime):
        with pytest.raises(Unavailable, match=r"clickhouse://me@127\.0\.0\.1:1/burnish: ") as error:
            ask()
        assert "p4ss" not in str(error.value)


def test_reading_commands_import_no_framework() -> None:
    code = "import sys, burnish.commands; print(sorted(m for m in sys.modules if '.' not in m))"
    names = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for heavy in ("anthropic", "langgraph", "libcst", "git", "github", "apscheduler", "sqlglot", "httpx2"):
        assert f"'{heavy}'" not in names
