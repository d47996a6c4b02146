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
