"""The asynchronous service: its own tests pass, it stands up to its mix, and the answers fit the code."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from evals.services.ledger.serve import MIX, SERVICE, ServeError, Serving, prepare, serving, with_sensor
from evals.services.load import Limits, Run, parse_target
from evals.services.traffic import load_mix

LEDGER = SERVICE.parent
ANSWERS: dict[str, list[dict[str, Any]]] = tomllib.loads((LEDGER / "ANSWERS.toml").read_text(encoding="utf-8"))
PATCHES = sorted((LEDGER / "reference").glob("*.patch"))
SENSOR = Path(__file__).parents[2] / "sensor"
SCALE = 0.02


def own_tests(folder: Path, server: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=folder,
        env={**environment, "DATABASE_URL": server, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".ruff_cache", ".mypy_cache")
    return Path(shutil.copytree(SERVICE, tmp_path / "service", ignore=ignored))


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """URL of an empty database of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE ledger")
        yield postgres_url.rpartition("/")[0] + "/ledger"
        connection.execute("DROP DATABASE ledger WITH (FORCE)")


def loaded(url: str, requests: int) -> Run:
    """A run of two users, bounded by `requests`."""
    run = Run(parse_target(url), load_mix(MIX, SCALE), Limits(seconds=90, users=2, max_requests=requests), seed=3)
    run.execute()
    assert run.died is None
    return run


@pytest.mark.slow
@pytest.mark.postgres
def test_the_own_suite_passes_in_a_copy(service: Path, postgres_url: str) -> None:
    summary = own_tests(service, postgres_url)
    assert int(summary.split()[0]) >= 80
    assert "skipped" not in summary


@pytest.mark.slow
@pytest.mark.postgres
def test_the_own_suite_stays_green_with_every_patch(service: Path, postgres_url: str) -> None:
    for patch in PATCHES:
        subprocess.run(["git", "apply", str(patch)], cwd=service, check=True, timeout=30, env=outside_git(service))
    assert int(own_tests(service, postgres_url).split()[0]) >= 80


def outside_git(folder: Path) -> dict[str, str]:
    """`git apply` in a folder that is no repository, wherever the temporary files are."""
    return {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}


LOCKS = "for account_id in sorted(set(account_ids))}"


@pytest.mark.slow
@pytest.mark.postgres
def test_another_order_of_locking_breaks_the_own_suite(service: Path, postgres_url: str) -> None:
    file = service / "ledger" / "services" / "transfers.py"
    source = file.read_text(encoding="utf-8")
    assert source.count(LOCKS) == 1
    file.write_text(source.replace(LOCKS, "for account_id in account_ids}"), encoding="utf-8")
    with pytest.raises(AssertionError, match="test_accounts_are_locked_in_the_order_of_their_ids"):
        own_tests(service, postgres_url)


@pytest.mark.slow
@pytest.mark.postgres
def test_every_answer_of_the_mix_is_2xx(database: str, tmp_path: Path) -> None:
    prepare(database, scale=SCALE)
    with serving(Serving(database, tmp_path / "log", workers=2)) as url:
        run = loaded(url, 400)
    assert {sample.status for sample in run.samples} <= {200, 201}
    assert all(sample.ok for sample in run.samples)
    assert {sample.name for sample in run.samples} == {template.name for template in run.mix.templates}


@pytest.mark.slow
@pytest.mark.postgres
def test_the_sensor_counts_what_the_driver_sent(database: str, tmp_path: Path) -> None:
    prepare(database, scale=SCALE)
    windows = tmp_path / "windows"
    environment = {"PYTHONPATH": str(SENSOR), "BURNISH_OUTPUT": str(windows), "BURNISH_ROOT": str(SERVICE)}
    how = Serving(database, tmp_path / "log", workers=2, before=with_sensor(), environment=environment)
    with serving(how) as url:
        run = loaded(url, 400)
    counted: Counter[str] = Counter()
    for file in windows.glob("*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            counted.update({row["entry"]: row["calls"] for row in json.loads(line)["entries"]})
    sent = Counter(sample.name for sample in run.samples)
    health = "GET /health"  # also asked until the service was there
    assert counted.pop(health) > sent.pop(health)
    assert counted == sent


def test_a_service_that_does_not_start_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(ServeError, match="DATABASE_URL: expected postgres://"),
        serving(Serving("none", tmp_path / "l")),
    ):
        pass


def functions(module: str) -> set[str]:
    """The qualified names of the functions of a module of the service."""
    tree = ast.parse((SERVICE / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {f"{owner.name}.{node.name}" for node in owner.body if isinstance(node, kinds)}
    return found


@pytest.mark.parametrize("answer", ANSWERS["planted"] + ANSWERS["decoy"], ids=lambda answer: str(answer["function"]))
def test_an_answer_names_a_function_that_traffic_reaches(answer: dict[str, Any]) -> None:
    module, _, name = answer["function"].partition(":")
    assert name in functions(module)
    assert (SERVICE / answer["file"]).is_file()
    assert answer["entry"] in {template.name for template in load_mix(MIX).templates}


def test_every_planted_problem_has_a_patch_in_the_file_that_it_names() -> None:
    assert [answer["patch"] for answer in ANSWERS["planted"]] == [patch.name for patch in PATCHES]
    for answer, patch in zip(ANSWERS["planted"], PATCHES, strict=True):
        text = patch.read_text(encoding="utf-8")
        assert f"+++ b/{answer['file']}\n" in text
        assert "/tests/" not in text
    assert sum(answer["top"] for answer in ANSWERS["planted"]) == 3


def test_decoys_are_guarded_by_a_test_of_the_service() -> None:
    for answer in ANSWERS["decoy"]:
        if "test" in answer:
            file, _, name = answer["test"].partition("::")
            assert f"def {name}(" in (SERVICE / file).read_text(encoding="utf-8")
