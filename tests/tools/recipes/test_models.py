"""The map of models: tables, columns, relations and the names back, read from the text."""

from __future__ import annotations

from burnish_tools.recipes._base import MemorySource
from burnish_tools.recipes.source.models import Model, Models
from burnish_tools.recipes.source.repo import Repository

BASE = """from django.db import models as m


class Stamped(m.Model):
    made = m.DateTimeField(db_column="made_on")
    by = m.ForeignKey("staff.Person", null=True, on_delete=m.SET_NULL, related_name="%(class)s_made")

    class Meta:
        abstract = True
"""
SHELF = """from django.db import models

from common.base import Stamped


class Book(Stamped):
    code = models.CharField(max_length=9, primary_key=True)
    next = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    topics = models.ManyToManyField("Topic", through="BookTopic")
    similar = models.ManyToManyField("self")


class Topic(models.Model):
    hidden = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "themes"


class BookTopic(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    theme = models.ForeignKey(Topic, on_delete=models.CASCADE, db_column="theme")


class Loan(models.Model):
    card = models.OneToOneField(Book, on_delete=models.CASCADE)


class Novel(Book):
    class Meta:
        proxy = True
"""
STAFF = "from django.db.models import Model\n\n\nclass Person(Model):\n    pass\n"
FILES = {
    "common/base.py": BASE,
    "shelf/models/__init__.py": "from shelf.models.book import Book\n",
    "shelf/models/book.py": SHELF,
    "people/models.py": STAFF,
    "people/apps.py": "from django.apps import AppConfig\n\n\nclass People(AppConfig):\n    label = 'staff'\n",
    "shelf/views.py": "class Model:\n    'no django models here'\n\n\nclass View(Model):\n    pass\n",
}


def _models() -> dict[str, Model]:
    return {model.name: model for model in Models(Repository(MemorySource(FILES))).concrete}


def test_tables() -> None:
    models = Models(Repository(MemorySource(FILES)))
    assert sorted((model.name, model.table) for model in models.concrete) == [
        ("Book", "shelf_book"),
        ("BookTopic", "shelf_booktopic"),
        ("Loan", "shelf_loan"),
        ("Novel", "shelf_book"),
        ("Person", "staff_person"),
        ("Topic", "themes"),
    ]
    assert [model.name for model in models.by_table("shelf_book")] == ["Book"]


def test_fields_of_an_abstract_base() -> None:
    book = _models()["Book"]
    made = book.by_column("made_on")
    assert made is not None
    assert made.name == "made"
    assert book.fields["by"].target is _models_of(book)["Person"]
    assert book.pk.name == "code"


def _models_of(model: Model) -> dict[str, Model]:
    return {target.name: target for field in model.fields.values() if (target := field.target)}


def test_the_ways_back() -> None:
    models = _models()
    assert set(models["Person"].many) == {"book_made"}
    assert {name: relation.column for name, relation in models["Book"].many.items() if name.endswith("_set")} == {
        "book_set": "next_id",
        "booktopic_set": "book_id",
    }
    assert "loan" not in models["Book"].many
    assert models["Novel"].many == models["Book"].many


def test_many_to_many() -> None:
    models = _models()
    topics, similar = models["Book"].many["topics"], models["Book"].many["similar"]
    assert (topics.table, topics.column, topics.target.name) == ("shelf_booktopic", "book_id", "Topic")
    assert (similar.table, similar.column) == ("shelf_book_similar", "from_book_id")
    back = models["Topic"].many["book_set"]
    assert (back.table, back.column, back.target.name) == ("shelf_booktopic", "theme", "Book")
