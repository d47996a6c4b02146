"""Every command in README.md is run, and the configuration in it is valid."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from burnish.app import config_type
from burnish.cli import main
from tests.agent.test_cli import place  # noqa: F401  -- a fixture

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [
        re.sub(r"^ {3}", "", block, flags=re.MULTILINE)
        for block in re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    ]


COMMANDS = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]


def test_the_readme_has_commands() -> None:
    assert {"./scripts/demo", "./scripts/test", "burnish findings"} <= set(COMMANDS)
    known = ("./scripts/", "burnish ", "pip install burnish-sensor", "python -m burnish_sensor -- ")
    assert [command for command in COMMANDS if not command.startswith(known)] == []


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("burnish ") and "verify" not in c])
def test_burnish_commands_run(
    command: str,
    place: Path,  # noqa: F811  -- the fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = shlex.split(command)[1:]
    if arguments[0] in ("why", "function"):
        arguments[1] = "shop.views:orders"
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_the_dry_run_reaches_the_proof(place: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    (command,) = [c for c in COMMANDS if "verify" in c]
    assert main(shlex.split(command)[1:]) in (2, 3)  # the fixture's repository is empty, which is said
    assert "origin.git" in capsys.readouterr().err


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("./scripts/")])
def test_scripts_are_there_and_executable(command: str) -> None:
    assert os.access(ROOT / shlex.split(command)[0], os.X_OK)


def test_the_sensor_command_runs_a_program(tmp_path: Path) -> None:
    (command,) = [c for c in COMMANDS if c.startswith("python -m burnish_sensor")]
    prefix = shlex.split(command)[1 : shlex.split(command).index("--") + 1]
    (tmp_path / "app.py").write_text("def f():\n    return 41 + 1\nprint(f())\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *prefix, sys.executable, "app.py"],
        cwd=tmp_path,
        env={**os.environ, "BURNISH_OUTPUT": str(tmp_path / "windows"), "PYTHONPATH": str(ROOT / "sensor")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "42\n", done.stderr
    windows = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "windows").glob("*.jsonl"))
    assert '"app:f"' in windows


def test_the_configuration_is_valid() -> None:
    (text,) = blocks("toml")
    config = config_type().model_validate(tomllib.loads(text))
    assert config.model_dump()["forge"]["kind"] == "github"


def test_links_lead_somewhere() -> None:
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in t]
    assert [t for t in targets if not (ROOT / t).exists()] == []
