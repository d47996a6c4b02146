"""The service to optimize: it stands alone, its data is skewed and reproducible, and the answers fit the code."""

from __future__ import annotations

import ast
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHOP = Path(__file__).parents[2] / "evals" / "services" / "shop"
ANSWERS: dict[str, list[dict[str, Any]]] = tomllib.loads((SHOP / "ANSWERS.toml").read_text())
MIX: dict[str, Any] = tomllib.loads((SHOP / "mix.toml").read_text())
PATCHES = sorted((SHOP / "reference").glob("*.patch"))
LEFT_OUT = shutil.ignore_patterns("*.sqlite3*", "__pycache__", ".ruff_cache", "access.log")


def run(folder: Path, *command: str, database: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTEST_"))}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "DATABASE_URL": f"sqlite:///{database or folder / 'none.sqlite3'}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def manage(folder: Path, *arguments: str, database: Path | None = None) -> str:
    done = run(folder, sys.executable, "manage.py", *arguments, database=database)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_tests(folder: Path) -> str:
    done = run(folder, sys.executable, "-m", "pytest", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP / "service", tmp_path / "service", ignore=LEFT_OUT))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = generate(tmp_path_factory.mktemp("data") / "shop.sqlite3", seed=1)
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def generate(path: Path, seed: int) -> Path:
    manage(SHOP / "service", "migrate", "-v0", database=path)
    manage(SHOP / "service", "generate_data", "--seed", str(seed), "--scale", "0.02", database=path)
    return path


def content(connection: sqlite3.Connection) -> list[str]:
    """Every row, without the times at which the migrations ran."""
    return [line for line in connection.iterdump() if "django_migrations" not in line]


def column(connection: sqlite3.Connection, query: str) -> list[int]:
    return [row[0] for row in connection.execute(query)]


def test_migrations_are_complete(service: Path) -> None:
    assert "No changes detected" in manage(service, "makemigrations", "--check", "--dry-run")


@pytest.mark.parametrize(
    "table,key",
    [
        ("orders_order", "customer_id"),
        ("reviews_review", "product_id"),
        ("inventory_stockmovement", "sku"),
        ("orders_orderline", "product_id"),
    ],
)
def test_a_few_own_most_of_the_rows(filled: sqlite3.Connection, table: str, key: str) -> None:
    sizes = column(filled, f"SELECT count(*) FROM {table} GROUP BY {key} ORDER BY 1 DESC")
    assert sizes[0] > 8 * sizes[len(sizes) // 2]
    assert sum(sizes[: len(sizes) // 5]) > 0.4 * sum(sizes)


def test_movements_have_times_of_their_own(filled: sqlite3.Connection) -> None:
    [(rows, times)] = filled.execute("SELECT count(*), count(DISTINCT occurred_at) FROM inventory_stockmovement")
    assert rows == times == 6400


def test_data_depends_on_the_seed_alone(filled: sqlite3.Connection, tmp_path: Path) -> None:
    again = sqlite3.connect(generate(tmp_path / "again.sqlite3", seed=1))
    other = sqlite3.connect(generate(tmp_path / "other.sqlite3", seed=2))
    assert content(again) == content(filled)
    assert content(other) != content(filled)
    again.close()
    other.close()


def test_data_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3"
    generate(path, seed=1)
    done = run(SHOP / "service", sys.executable, "manage.py", "generate_data", "--scale", "0.02", database=path)
    assert done.returncode != 0
    assert "the database is not empty: use --force" in done.stderr


def test_the_own_suite_passes_in_a_copy(service: Path) -> None:
    summary = own_tests(service)
    assert int(summary.split()[0]) >= 60
    assert "skipped" not in summary


def functions(module: str) -> set[str]:
    """The qualified names of the functions of a module of the service."""
    tree = ast.parse((SHOP / "service" / (module.replace(".", "/") + ".py")).read_text())
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {f"{owner.name}.{node.name}" for node in owner.body if isinstance(node, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("answer", ANSWERS["planted"] + ANSWERS["decoy"], ids=lambda answer: str(answer["function"]))
def test_an_answer_names_a_function_that_traffic_reaches(answer: dict[str, Any]) -> None:
    module, _, name = answer["function"].partition(":")
    assert name in functions(module)
    assert (SHOP / "service" / answer["file"]).is_file()
    assert answer["entry"] in {request["name"] for request in MIX["request"]}


def test_every_planted_problem_has_a_patch() -> None:
    assert [answer["patch"] for answer in ANSWERS["planted"]] == [patch.name for patch in PATCHES]
    assert sum(answer["top"] for answer in ANSWERS["planted"]) == 3


@pytest.mark.parametrize("answer", ANSWERS["planted"], ids=lambda answer: str(answer["patch"]))
def test_a_patch_touches_the_file_that_the_answer_names(answer: dict[str, Any]) -> None:
    text = (SHOP / "reference" / answer["patch"]).read_text()
    assert f"+++ b/{answer['file']}\n" in text
    assert "/tests/" not in text


def test_decoys_are_guarded_by_a_test_of_the_service() -> None:
    for answer in ANSWERS["decoy"]:
        if "test" in answer:
            file, _, name = answer["test"].partition("::")
            assert f"def {name}(" in (SHOP / "service" / file).read_text()


WRONG = {
    "the budget read once for all codes": (
        "promotions/services.py",
        "        budget = PromotionBudget.objects.get(pk=1)\n",
        "    for code in codes:\n",
    ),
    "the flash sale asked once for all lines": (
        "promotions/services.py",
        "        sale = (\n"
        "            FlashSale.objects.filter(starts_at__lte=timezone.now(), ends_at__gt=timezone.now())\n"
        '            .order_by("-percent_off")\n'
        "            .first()\n"
        "        )\n",
        "    for product, quantity in lines:\n",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(WRONG))
def test_acting_on_a_decoy_breaks_the_own_suite(service: Path, case: str) -> None:
    file, statement, loop = WRONG[case]
    source = (service / file).read_text()
    assert source.count(statement) == source.count(loop) == 1
    hoisted = "".join(line[4:] for line in statement.splitlines(keepends=True))
    (service / file).write_text(source.replace(statement, "").replace(loop, hoisted + loop))
    done = run(service, sys.executable, "-m", "pytest", "-q")
    assert done.returncode == 1
    assert "tests/test_promotions.py" in done.stdout


@pytest.mark.slow
def test_the_own_suite_stays_green_with_every_patch(service: Path) -> None:
    before = own_tests(service).split()[0]
    assert run(service, "git", "init", "-q").returncode == 0
    for patch in PATCHES:
        done = run(service, "git", "apply", str(patch))
        assert done.returncode == 0, f"{patch.name}: {done.stderr}"
    assert own_tests(service).split()[0] == before
    assert "No changes detected" in manage(service, "makemigrations", "--check", "--dry-run")
