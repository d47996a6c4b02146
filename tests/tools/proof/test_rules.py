from __future__ import annotations

import pytest

from burnish.job import Change, Check, FileEdit
from burnish.testing.workspace import FakeSource
from burnish.why import Why
from burnish_tools.proof.rules import rules_check

BEFORE = """
from books.models import Book

FIELDS = ("id",)


def rows(page, size=25):
    return [book.title for book in Book.objects.all()]


class Shelf:
    def total(self):
        return sum(book.pages for book in self.books)
"""


def check(
    after: str, path: str = "books/views.py", before: str | None = BEFORE, limit: int = 60, **more: object
) -> Check:
    edits = (FileEdit(path=path, before=before, after=after),)
    told = {"recipe": "r", "title": "t", "summary": "s", "safety": "s", "edits": edits, **more}
    return rules_check(Change.model_validate(told), FakeSource({"books/views.py": BEFORE, path: before or ""}), limit)


def edited(old: str, new: str) -> str:
    assert old in BEFORE
    return BEFORE.replace(old, new)


PLAIN = edited("Book.objects.all()", 'Book.objects.select_related("author")')
RETURN = "    return [book.title for book in Book.objects.all()]\n"


@pytest.mark.parametrize(
    "after",
    [
        PLAIN,
        edited(RETURN, "    seen = {}\n    seen[page] = 1\n" + RETURN),
        edited("class Shelf:\n", "def helper(books):\n    return list(books)\n\n\nclass Shelf:\n"),
        edited("class Shelf:\n", "class Shelf:\n    class Meta:\n        ordering = ['id']\n\n"),
        edited("        return sum", "        self.count = 1\n        return sum"),
    ],
)
def test_ordinary_edits_pass(after: str) -> None:
    assert check(after).passed


@pytest.mark.parametrize(
    "after",
    [
        edited("def rows", "CACHE = {}\n\n\ndef rows"),
        edited("def rows", "from functools import lru_cache\n\n\n@lru_cache\ndef rows"),
        edited("def rows", "import functools\n\n\n@functools.cache\ndef helper():\n    return 1\n\n\ndef rows"),
        edited("def rows", "from django.core.cache import cache\n\n\ndef rows"),
        edited(RETURN, "    rows.memo = 1\n" + RETURN),
        edited(RETURN, "    global TOTAL\n    TOTAL = 1\n" + RETURN),
        edited(RETURN, "    setattr(Book, 'memo', 1)\n" + RETURN),
        edited(RETURN, "    Book.memo.append(1)\n    FIELDS.append(1)\n" + RETURN),
        edited("class Shelf:\n", "class Shelf:\n    seen = {}\n\n"),
        edited("class Shelf:\n", "def helper(key, memo={}):\n    return memo\n\n\nclass Shelf:\n"),
        edited("        return sum", "        type(self).memo = 1\n        return sum"),
    ],
)
def test_a_memo_across_calls_is_refused(after: str) -> None:
    found = check(after)
    assert found.why is Why.FORBIDDEN_EDIT
    assert "memo across calls without invalidation" in found.summary or "signature, decorator" in found.summary


@pytest.mark.parametrize(
    "line",
    ["import inspect", "import gc", "from ctypes import CDLL", "import threading", "import sys; sys._getframe()"],
)
def test_means_to_see_who_measures_are_refused(line: str) -> None:
    found = check(f"{line}\n{BEFORE}")
    assert found.why is Why.FORBIDDEN_EDIT
    assert "new use of" in found.summary


@pytest.mark.parametrize(
    "after, told",
    [
        (edited("size=25", "size=50"), "rows has another signature"),
        (edited("def total(self)", "def sum(self)"), "Shelf.total is gone"),
        (edited("    def total", "    @property\n    def total"), "Shelf.total has another signature"),
        ("def rows(:", "does not parse"),
    ],
)
def test_existing_functions_stay_what_they_are(after: str, told: str) -> None:
    found = check(after)
    assert found.why is Why.FORBIDDEN_EDIT
    assert told in found.summary


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_books.py",
        "books/tests.py",
        "books/test_views.py",
        "conftest.py",
        "library/settings.py",
        "library/settings/base.py",
        "manage.py",
        ".github/check.py",
        "pyproject.toml",
        "requirements.lock",
        "../outside.py",
        "books/migrations/0002_more.py",
    ],
)
def test_some_files_are_out_of_bounds(path: str) -> None:
    assert check("x = 1\n", path, None).why in (Why.FORBIDDEN_EDIT, Why.CODE_MOVED_ON)
    assert check("x = 1\n", path, "x = 2\n").why is Why.FORBIDDEN_EDIT


def test_a_migration_needs_a_change_that_says_so() -> None:
    path, after = "books/migrations/0002_more.py", "class Migration:\n    dependencies = []\n    operations = []\n"
    source = FakeSource({})
    edits = (FileEdit(path=path, before=None, after=after),)
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=edits, migration=True)
    assert rules_check(change, source, 60).passed
    assert not rules_check(change.model_copy(update={"migration": False}), source, 60).passed


def test_a_change_touches_only_the_functions_that_it_names() -> None:
    assert check(PLAIN, functions=("books.views:rows",)).passed
    found = check(PLAIN, functions=("books.views:Shelf.total",))
    assert found.why is Why.FORBIDDEN_EDIT
    assert "rows is touched" in found.summary


def test_a_large_edit_is_refused() -> None:
    after = edited(RETURN, "    page += 1\n" * 11 + RETURN)
    assert check(after, limit=10).why is Why.DIFF_TOO_BIG
    assert check(after, limit=11).passed


def test_an_edit_that_changes_nothing_is_refused() -> None:
    assert check(BEFORE).why is Why.NOT_FASTER


def test_code_that_has_moved_on_is_refused() -> None:
    edits = (FileEdit(path="books/views.py", before="x = 1\n", after="x = 2\n"),)
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=edits)
    assert rules_check(change, FakeSource({"books/views.py": BEFORE}), 60).why is Why.CODE_MOVED_ON


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


def wider(old: str, new: str, **more: object) -> Check:
    assert WIDER.count(old) == 1, old
    return check(WIDER.replace(old, new), before=WIDER, **more)  # type: ignore[arg-type]


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
