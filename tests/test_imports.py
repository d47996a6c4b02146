"""The arrows between the rooms point one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ONLY_IN = {
    "langgraph": {"agent/burnish/graph.py", "tools/burnish_tools/state/checkpoints.py"},
    "apscheduler": {"agent/burnish/service.py"},
    "anthropic": {"tools/burnish_tools/model/anthropic_model.py"},
    "git": {"tools/burnish_tools/workspace.py"},
    "github": {"tools/burnish_tools/forges/github.py", "tools/burnish_tools/forges/github_edge.py"},
}
JOINS = {"agent/burnish/app.py"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def offenders(folder: str, package: str, allowed: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    return [
        str(path.relative_to(ROOT))
        for path in sources(folder)
        if any(name.split(".")[0] == package for name in imported(path)) and str(path.relative_to(ROOT)) not in allowed
    ]


def test_decisions_do_not_import_adapters() -> None:
    assert offenders("agent/burnish", "burnish_tools", JOINS) == []


@pytest.mark.parametrize("folder", ["agent", "tools"])
def test_the_agent_does_not_import_the_sensor(folder: str) -> None:
    assert offenders(folder, "burnish_sensor") == []


@pytest.mark.parametrize("package", ["burnish", "burnish_tools"])
def test_the_sensor_stands_alone(package: str) -> None:
    assert offenders("sensor", package) == []


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_framework_has_one_importer(package: str) -> None:
    found = [p for folder in ("agent", "tools") for p in offenders(folder, package, ONLY_IN[package])]
    assert found == []


def test_the_test_sees_imports() -> None:
    assert "burnish_tools.runtime" in set(imported(ROOT / "agent/burnish/app.py"))


def test_the_product_does_not_read_the_answers() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in sources("agent", "tools", "sensor")}
    assert [str(path) for path, text in texts.items() if "ANSWERS" in text or "evals" in text] == []
