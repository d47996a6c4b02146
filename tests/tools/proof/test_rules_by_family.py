"""The rules one family after the other: what each refuses, and honest edits next to it."""

from __future__ import annotations

import pytest

from burnish.job import Change, Check, FileEdit
from burnish.testing.workspace import FakeSource
from burnish.why import Why
from burnish_tools.proof.rules import rules_check
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import Act, BaseRecipe, MemorySource

EXAMPLES = [
    pytest.param(recipe, example, id=f"{recipe.name}: {example.name}")
    for recipe in recipes()
    if isinstance(recipe, BaseRecipe)
    for example in recipe.examples
    if isinstance(example, Act)
]

WIDER = """
import asyncio
import logging
import re
from decimal import Decimal

logger = logging.getLogger(__name__)
KINDS = ["new", "used"]


def total(rows):
    found = Decimal(0)
    for row in rows[:50]:
        if row.kind in ["new", "used"]:
            logger.info("row")
            try:
                found += Decimal(row.text)
            except ValueError:
                raise LookupError(row.id)
    return found


async def load(keys):
    return [await fetch(key) for key in keys]


def each(rows):
    for row in rows:
        yield row


class Reader(Base):
    pass
"""


def wider(old: str, new: str) -> Check:
    assert WIDER.count(old) == 1, old
    edits = (FileEdit(path="books/views.py", before=WIDER, after=WIDER.replace(old, new)),)
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=edits)
    return rules_check(change, FakeSource({"books/views.py": WIDER}), 60)


@pytest.mark.parametrize(
    "old, new",
    [
        ('KINDS = ["new", "used"]\n', 'KINDS = ["new", "used"]\nWANTED = frozenset(KINDS)\n'),
        ("import re\n", 'import re\n\nPATTERN = re.compile(r"[a-z]+")\n'),
        ('in ["new", "used"]:', 'in {"new", "used"}:'),
        (
            "    found = Decimal(0)\n",
            "    found = Decimal(0)\n    if not rows or len(rows) == 0:\n        return found\n",
        ),
        ("    for row in rows[:50]:\n", "    first = rows[:50]\n    for row in first:\n"),
        (
            "    for row in rows[:50]:\n",
            "    pieces = (rows[i : i + 500] for i in range(len(rows)))\n    for row in rows[:50]:\n",
        ),
        (
            "    return [await fetch(key) for key in keys]",
            "    return await asyncio.gather(*(fetch(key) for key in keys))",
        ),
        (
            "    return [await fetch(key) for key in keys]",
            "    async with asyncio.TaskGroup() as group:\n"
            "        tasks = [group.create_task(fetch(key)) for key in keys]\n"
            "    return [task.result() for task in tasks]",
        ),
        ("    for row in rows:\n        yield row", "    yield from rows"),
    ],
)
def test_honest_neighbours_of_the_rules_pass(old: str, new: str) -> None:
    found = wider(old, new)
    assert found.passed, found.summary


@pytest.mark.parametrize(
    "old, new, rule, told",
    [
        (
            "import re\n",
            "import re\n\nTABLE = tuple(n * n for n in range(9))\n",
            "import",
            "line 6: work at import time",
        ),
        ("import re\n", "import re\n\nfor n in range(9):\n    pass\n", "import", "work at import time"),
        ("class Reader(Base):\n    pass", "class Reader(Base):\n    rows = total(())", "import", "work at import time"),
        (
            "def each(rows):",
            "@register\ndef helper(x=total(())):\n    return x\n\n\ndef each(rows):",
            "import",
            "register",
        ),
        (
            "class Reader(Base):\n    pass",
            "class Reader(Base):\n    def __del__(self):\n        pass",
            "shape",
            "new hook",
        ),
        ("class Reader(Base)", "class Reader(Other)", "shape", "class Reader has other bases"),
        ("    for row in rows:\n        yield row", "    return list(rows)", "shape", "each has another signature"),
        (
            "    return [await fetch(key) for key in keys]",
            "    asyncio.create_task(fetch(keys))",
            "later",
            "create_task",
        ),
        ("rows[:50]", "rows[:50:2]", "dropped", "a new step"),
        (
            "    found = Decimal(0)\n",
            "    rows = rows[:9]\n    found = Decimal(0)\n",
            "dropped",
            "line 12: a new bound, [:9]",
        ),
        ("except ValueError:", "except KeyError:", "dropped", "except ValueError is gone"),
        ("except ValueError:", "except (ValueError, Exception):", "dropped", "except Exception is new"),
        ("raise LookupError(row.id)", "continue", "removed", "raise LookupError is gone"),
        (
            'logger.info("row")',
            'logger.debug("row")',
            "removed",
            "line 15 before the change: logger.info is no longer called",
        ),
        ("found += Decimal(row.text)", "found += round(Decimal(row.text))", "precision", "new use of round"),
        ("    return found\n", "    return found // 1\n", "precision", "new //"),
        (
            "    found = Decimal(0)\n",
            '    found = Decimal(0)\n    if rows == "all":\n        return 9\n',
            "inputs",
            "'all'",
        ),
        ("    return found\n", "    return found if rows else 12\n", "inputs", "a new constant answer, 12"),
        ("import re\n", "import re\n\nLENGTHS = (7, 9, 12)\n", "inputs", "a new table of 3 literals"),
        ("    return found\n", "    return found + len(__builtins__)\n", "introspection", "__builtins__"),
        (
            "    found = Decimal(0)\n",
            "    keeper = logging.root\n    keeper.kept = rows\n    found = Decimal(0)\n",
            "memo",
            "keeper.kept",
        ),
        (
            "    found = Decimal(0)\n",
            "    re.kept[rows] = 1\n    found = Decimal(0)\n",
            "memo",
            "line 12: store into re.kept",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_line(old: str, new: str, rule: str, told: str) -> None:
    found = wider(old, new)
    assert found.why is Why.FORBIDDEN_EDIT, found.summary
    assert f"(rule {rule})" in found.summary
    assert told in found.summary


def test_a_migration_that_runs_code_is_refused() -> None:
    path = "books/migrations/0002_more.py"
    after = (
        "from django.db import migrations\n\n\n"
        "class Migration(migrations.Migration):\n    operations = [migrations.RunSQL('DELETE FROM books')]\n"
    )
    edits = (FileEdit(path=path, before=None, after=after),)
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=edits, migration=True)
    found = rules_check(change, FakeSource({}), 60)
    assert "line 5: a migration that does more than add an index: migrations.RunSQL" in found.summary


@pytest.mark.parametrize(
    "old, new, told",
    [
        (
            "    found = Decimal(0)\n",
            "    found = Decimal(0)\n    if logging.raiseExceptions:\n        return found\n",
            "`logging.raise",
        ),
        (
            "    found = Decimal(0)\n",
            "    found = Decimal(0)\n    known = re.template()\n    if rows and not known:\n        return found\n",
            "line 14: a new condition on the surroundings, `not known`",
        ),
        ("    return found\n", "    return found if rows or asyncio.all_tasks() else None\n", "`asyncio.all_tasks()`"),
    ],
)
def test_conditions_on_the_surroundings_are_refused(old: str, new: str, told: str) -> None:
    found = wider(old, new)
    assert "(rule surroundings)" in found.summary
    assert told in found.summary


@pytest.mark.parametrize(
    "new",
    [
        "    found = Decimal(0)\n    if not rows:\n        return found\n",
        "    found = Decimal(0)\n    if re.search(KINDS[0], rows[0]):\n        return found\n",
        "    found = Decimal(0)\n    known = Decimal.objects.all()\n    if not known:\n        return found\n",
    ],
)
def test_conditions_on_the_input_or_on_rows_are_fine(new: str) -> None:
    found = wider("    found = Decimal(0)\n", new)
    assert found.passed, found.summary


@pytest.mark.parametrize("recipe, example", EXAMPLES)
def test_what_recipes_do_is_honest(recipe: BaseRecipe, example: Act) -> None:
    source = MemorySource(example.files)
    change = recipe.apply(example.finding, source)
    assert isinstance(change, Change)
    found = rules_check(change, source, 200)
    assert found.passed, found.summary
