"""A small Django service, as a dictionary of files, with its database and its access log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish.finding import Candidate, EntryShare, Evidence, Finding, Interval
from burnish.job import Change, FileEdit, Job, Proof
from burnish.settings import ServiceSettings
from burnish.testing.workspace import FakeWorkspace
from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings

FILES = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings")\n',
    "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = library.settings\npythonpath = .\n",
    "library/__init__.py": "",
    "library/settings.py": """
import os

SECRET_KEY = "for tests"
ROOT_URLCONF = "library.urls"
INSTALLED_APPS = ["books"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_URL"][len("sqlite:///"):]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
""",
    "library/urls.py": """
from django.urls import path

from books import views

urlpatterns = [
    path("books/", views.book_list),
    path("books/<int:pk>/", views.book_detail),
    path("now/", views.now),
    path("visits/", views.visits),
    path("environment/", views.environment),
    path("staff/", views.staff),
]
""",
    "books/__init__.py": "",
    "books/models.py": """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    title = models.CharField(max_length=80)
    pages = models.IntegerField()
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    @property
    def label(self):
        return f"{self.title} ({self.pages})"


class Visit(models.Model):
    page = models.IntegerField()
""",
    "books/views.py": """
import os

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from books.models import Book, Visit


def rows(page):
    books = Book.objects.order_by("id")[page * 25 : page * 25 + 25]
    return [{"label": book.label, "author": book.author.name} for book in books]


@require_GET
def book_list(request):
    return JsonResponse({"books": rows(int(request.GET.get("page", 0)))})


def book_detail(request, pk):
    return JsonResponse({"label": Book.objects.get(pk=pk).label})


def stamps():
    return [timezone.now().isoformat() for _ in range(3)]


def now(request):
    return JsonResponse({"now": stamps()})


def visits(request):
    Visit.objects.create(page=int(request.GET.get("page", 0)))
    return HttpResponse(f"visits: {Visit.objects.count()}")


def staff(request):
    allowed = request.headers.get("X-Staff-Token") == "of the snapshot"
    return JsonResponse({"books": rows(1)}, status=200 if allowed else 403)


def environment(request):
    return JsonResponse(dict(os.environ))
""",
    "tests/test_books.py": """
import pytest

from books import models, views


@pytest.mark.django_db
def test_rows():
    author = models.Author.objects.create(name="A")
    models.Book.objects.create(title="T", pages=3, author=author)
    assert views.rows(0) == [{"label": "T (3)", "author": "A"}]


def test_stamps():
    assert len(views.stamps()) == 3
""",
}
"""The N+1 is in `books.views:rows`: one query for the author of each book."""

N_PLUS_ONE = 'Book.objects.order_by("id")['
JOINED = 'Book.objects.select_related("author").order_by("id")['
COMMAND = (*ProofSettings().test_command, "-p", "pytest_django.plugin")
SETTINGS = ProofSettings(
    requests=12,
    pairs=8,
    timeout_seconds=60,
    test_command=COMMAND,
    environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
)
ENTRY = "GET books/"


@dataclass(frozen=True)
class Stage:
    """A service with everything that a prover needs."""

    folder: Path
    workspace: FakeWorkspace
    service: ServiceSettings
    settings: ProofSettings

    @property
    def snapshot(self) -> Path:
        return self.folder / "snapshot.sqlite3"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def change(self, edit: Callable[[str], str] | None, path: str = "books/views.py", **more: object) -> Change:
        before = self.workspace.source(self.workspace.head()).read(path)
        after = edit(before or "") if edit else before or ""
        edits = (FileEdit(path=path, before=before, after=after),)
        told = {"recipe": "test", "title": "t", "summary": "s", "safety": "s", "edits": edits}
        return Change.model_validate({**told, **more})

    def job(self, change: Change, function: str = "books.views:rows", entries: Sequence[str] = (ENTRY,)) -> Job:
        one = Interval(value=1, low=1, high=1, n=9)
        finding = Finding(
            kind="n_plus_one",
            function=function,
            file="books/views.py",
            line=1,
            body="",
            release="r1",
            entries=tuple(EntryShare(entry=entry, calls_per_minute=10) for entry in entries),
            calls_per_minute=one,
            wall_ns=one,
            removable_ns=1,
            evidence=Evidence(),
        )
        candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
        return Job(id="job-1", candidate=candidate, base=self.workspace.head(), change=change)

    def prover(self, **more: object) -> ServiceProver:
        told = {"service": self.service, "settings": self.settings, "workspace": self.workspace}
        return ServiceProver(**{**told, "state_dir": self.state, **more})  # type: ignore[arg-type]

    def prove(self, edit: Callable[[str], str], function: str = "books.views:rows", *entries: str) -> Proof:
        return self.prover().prove(self.job(self.change(edit), function, entries or (ENTRY,)))


def stage(folder: Path, changed_files: dict[str, str] | None = None, **settings: object) -> Stage:
    """Writes the snapshot and the access log; `changed_files` replaces files of the service."""
    _snapshot(folder / "snapshot.sqlite3")
    log = folder / "access.log"
    targets = [f"/books/?page={n}" for n in range(14)] + [f"/books/{n}/" for n in range(1, 6)]
    targets += ["/now/", "/now/?again=1", "/visits/?page=1", "/visits/?page=2", "/environment/"]
    targets += ["/staff/?a=1", "/staff/?a=2"]
    log.write_text("".join(log_line(target) for target in targets), "utf-8")
    return Stage(
        folder=folder,
        workspace=FakeWorkspace({**FILES, **(changed_files or {})}),
        service=ServiceSettings(name="library", repository=".", access_log=str(log)),
        settings=SETTINGS.model_copy(update={"database": f"sqlite:///{folder / 'snapshot.sqlite3'}", **settings}),
    )


def log_line(target: str, status: int = 200, method: str = "GET") -> str:
    """A line as gunicorn writes it."""
    return f'127.0.0.1 - - [02/Mar/2026:10:00:00 +0000] "{method} {target} HTTP/1.1" {status} 12 "-" "-"\n'


def _snapshot(path: Path) -> None:
    database = sqlite3.connect(path)
    database.executescript(
        """
        CREATE TABLE books_author (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(80) NOT NULL);
        CREATE TABLE books_book (id INTEGER PRIMARY KEY AUTOINCREMENT, title VARCHAR(80) NOT NULL,
            pages INTEGER NOT NULL, author_id BIGINT NOT NULL REFERENCES books_author (id));
        CREATE TABLE books_visit (id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL);
        """
    )
    database.executemany("INSERT INTO books_author (name) VALUES (?)", [(f"author {n}",) for n in range(90)])
    rows = [(f"title {n}", 100 + n % 7, 1 + n % 90) for n in range(400)]
    database.executemany("INSERT INTO books_book (title, pages, author_id) VALUES (?, ?, ?)", rows)
    database.commit()
    database.close()
