"""The shapes of SELECT, against what Django really writes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from burnish_tools.recipes.source.statements import lookup, main_table, tables

SCRIPT = """
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["shelf"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from shelf.models import Book, Shelf, Tag

call_command("migrate", run_syncdb=True, verbosity=0)
shelf = Shelf.objects.create()
book = Book.objects.create(shelf=shelf)
with CaptureQueriesContext(connection, ) as seen:
    Book.objects.get().shelf
    list(shelf.books.all())
    list(book.tags.all())
    list(Tag.objects.get_or_create(id=1)[0].book_set.all())
for query in seen.captured_queries:
    print(query["sql"])
"""
MODELS = """from django.db import models


class Shelf(models.Model):
    pass


class Tag(models.Model):
    pass


class Book(models.Model):
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="books")
    tags = models.ManyToManyField(Tag)

    class Meta:
        ordering = ["id"]
"""


@pytest.fixture(scope="module")
def django_statements(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("django")
    (root / "shelf").mkdir()
    (root / "shelf" / "__init__.py").write_text("")
    (root / "shelf" / "models.py").write_text(MODELS)
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, timeout=60,
                          check=True)  # fmt: skip
    return [re.sub(r"\b\d+\b", "?", line) for line in done.stdout.splitlines() if line.startswith("SELECT")]


def test_reads_a_foreign_key(django_statements: list[str]) -> None:
    found = lookup(django_statements[1])
    assert found is not None
    assert (found.table, found.condition_table, found.column) == ("shelf_shelf", "shelf_shelf", "id")
    assert found.limited
    assert found.plain


def test_reads_a_relation_back(django_statements: list[str]) -> None:
    found = lookup(django_statements[2])
    assert found is not None
    assert (found.table, found.condition_table, found.column) == ("shelf_book", "shelf_book", "shelf_id")
    assert not found.limited
    assert found.plain


def test_reads_many_to_many_from_both_sides(django_statements: list[str]) -> None:
    one, other = lookup(django_statements[3]), lookup(django_statements[-1])
    assert one is not None
    assert other is not None
    assert (one.table, one.condition_table, one.column) == ("shelf_tag", "shelf_book_tags", "book_id")
    assert (other.table, other.condition_table, other.column) == ("shelf_book", "shelf_book_tags", "tag_id")
    assert one.plain
    assert other.plain


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "UPDATE a SET b = ? WHERE a.id = ?",
        'SELECT COUNT(*) AS "__count" FROM "a" WHERE "a"."b_id" = ?',
        'SELECT "a"."id" FROM "a" WHERE "a"."id" IN (?)',
        'SELECT "a"."id" FROM "a"',
        'SELECT "a"."id" FROM "a" INNER JOIN "b" ON ("a"."b_id" = "b"."id") INNER JOIN "c" ON ("b"."c_id" = "c"."id") '
        'WHERE "c"."id" = ?',
    ],
)
def test_other_shapes_are_no_lookup(statement: str) -> None:
    assert lookup(statement) is None


def test_a_further_condition_is_not_plain() -> None:
    found = lookup('SELECT "a"."id" FROM "a" WHERE "a"."b_id" = ? AND "a"."open" ORDER BY "a"."id" ASC')
    assert found is not None
    assert not found.plain


def test_tables() -> None:
    statement = 'SELECT 1 FROM "a" INNER JOIN "b" ON ("a"."b_id" = "b"."id") LEFT OUTER JOIN `c` ON (1)'
    assert main_table(statement) == "a"
    assert tables(statement) == {"a", "b", "c"}
