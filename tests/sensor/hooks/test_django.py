"""A small real Django project, served through its own handlers in a process with the sensor."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.support import run, sensed, windows, write

pytest.importorskip("django")

PROJECT = {
    "site_settings": """
        import os
        SECRET_KEY = "x"
        ROOT_URLCONF = "urls"
        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["books"]
        DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
    """,
    "wsgi": """
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
        from django.core.wsgi import get_wsgi_application
        application = get_wsgi_application()
    """,
    "books/__init__": "",
    "books/models": """
        from django.db import models
        class Author(models.Model):
            name = models.CharField(max_length=20)
        class Book(models.Model):
            author = models.ForeignKey(Author, models.CASCADE)
            def label(self):
                return self.author.name
    """,
    "books/management/__init__": "",
    "books/management/commands/__init__": "",
    "books/management/commands/count": """
        from django.core.management.base import BaseCommand
        from books.models import Book
        class Command(BaseCommand):
            def handle(self, **options):
                self.stdout.write(str(Book.objects.count()))
    """,
    "urls": """
        from django.http import HttpResponse, StreamingHttpResponse
        from django.urls import path
        from books.models import Book
        def labels(count):
            return [book.label() for book in Book.objects.all()[:count]]
        def shelf(request, count):
            return HttpResponse(",".join(labels(count)))
        def broken(request):
            raise LookupError("secret")
        from asgiref.sync import sync_to_async
        acount = getattr(Book.objects, "acount", None) or sync_to_async(Book.objects.count)  # since Django 4.1
        async def slow(request):
            return HttpResponse(str(await acount()))
        def stream(request):
            return StreamingHttpResponse(chunks())
        def chunks():
            for book in Book.objects.all()[:3]:
                yield book.label()
        async def astream(request):
            return StreamingHttpResponse(achunks())
        async def achunks():
            for _ in range(2):
                yield str(await acount())
        def cut(request):
            return StreamingHttpResponse(failing())
        def failing():
            yield "a"
            raise OSError("secret")
        urlpatterns = [path("stream/", stream), path("astream/", astream), path("cut/", cut)]
        urlpatterns += [path("shelf/<int:count>/", shelf), path("broken/", broken), path("slow/", slow), path("", slow)]
    """,
    "support": """
        from django.test import AsyncClient
        async def read():
            response = await AsyncClient().get("/astream/")
            assert [chunk async for chunk in response.streaming_content] == [b"9", b"9"]
    """,
    "prepare": """
        import wsgi
        from django.db import connection
        from books.models import Author, Book
        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
        for number in range(9):
            Book.objects.create(author=Author.objects.create(name="author-%d" % (number % 2)))
    """,
}

CLIENT = """
    import burnish_sensor
    burnish_sensor.start()
    import wsgi
    from django.test import Client
    client = Client(raise_request_exception=False)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, **PROJECT)
    result = run(["prepare.py"], tmp_path, DATABASE=str(tmp_path / "db"))
    assert result.returncode == 0, result.stderr
    return tmp_path


def ask(project: Path, code: str) -> dict[str, Any]:
    lines = [line.strip() for line in (CLIENT + code).splitlines()]
    result = run("\n".join(lines), project, DATABASE=str(project / "db"))
    assert result.returncode == 0, result.stderr
    (window,) = windows(project)
    check_window(window)
    return window


def row(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return found


def test_an_n_plus_1_is_visible_with_its_line_and_its_driver(project: Path) -> None:
    window = ask(project, "for n in (3, 5, 8): client.get(f'/shelf/{n}/')")
    author = next(key for key, value in window["statements"].items() if 'FROM "books_author"' in value["text"])
    assert window["statements"][author]["system"] == "sqlite"
    per_call = row(window["per_call"], function="urls:labels", statement=author)
    assert per_call["site"] == {"function": "books.models:Book.label", "file": "books/models.py", "line": 8}
    assert (per_call["entry"], per_call["calls"]) == ("GET shelf/<int:count>/", 3)
    assert (per_call["executions"]["min"], per_call["executions"]["max"]) == (3, 8)
    driver = per_call["driver"]
    assert 'FROM "books_book"' in window["statements"][driver["statement"]]["text"]
    assert driver["site"] == {"function": "urls:labels", "file": "urls.py", "line": 6}
    slope = (driver["n"] * driver["sum_xy"] - driver["sum_x"] * driver["sum_y"]) / (
        driver["n"] * driver["sum_xx"] - driver["sum_x"] ** 2
    )
    assert slope == pytest.approx(1.0)


def test_entries_are_routes_with_status_and_errors(project: Path) -> None:
    window = ask(project, "for path in ('/shelf/2/', '/shelf/4/', '/broken/', '/nowhere/5/', '/'): client.get(path)")
    entries = {row["entry"]: (row["calls"], row["status"], row["errors"]) for row in window["entries"]}
    assert entries == {
        "GET shelf/<int:count>/": (2, {"200": 2}, {}),
        "GET broken/": (1, {"500": 1}, {"LookupError": 1}),
        "GET <unmatched>": (1, {"404": 1}, {}),
        "GET /": (1, {"200": 1}, {}),
    }
    shelf = row(window["entries"], entry="GET shelf/<int:count>/")
    assert shelf["queries"]["sum"] == 1 + 2 + 1 + 4
    assert "nowhere" not in json.dumps(window)
    assert "secret" not in json.dumps(window)


def test_an_asynchronous_request_is_an_entry(project: Path) -> None:
    window = ask(
        project,
        "import asyncio\nfrom django.test import AsyncClient\n"
        "async def main(): await asyncio.gather(*(AsyncClient().get('/slow/') for _ in range(3)))\nasyncio.run(main())",
    )
    assert row(window["entries"], entry="GET slow/")["calls"] == 3
    call = row(window["calls"], function="urls:slow")
    assert (call["entry"], call["calls"]) == ("GET slow/", 3)
    assert call["own"]["sum"] <= call["wall"]["sum"]


def test_a_stream_belongs_to_its_request_and_ends_it(project: Path) -> None:
    window = ask(
        project,
        "assert len(b''.join(client.get('/stream/').streaming_content)) == 3 * len('author-0')\n"
        "try: b''.join(client.get('/cut/').streaming_content)\nexcept OSError: pass",
    )
    stream = row(window["entries"], entry="GET stream/")
    assert (stream["calls"], stream["queries"]["sum"]) == (1, 4)
    assert row(window["calls"], function="books.models:Book.label")["entry"] == "GET stream/"
    assert row(window["entries"], entry="GET cut/")["errors"] == {"OSError": 1}


def test_under_a_generic_middleware_there_is_one_entry_with_the_route(project: Path) -> None:
    window = ask(
        project,
        "from burnish_sensor.wsgi import Middleware\nfrom wsgiref.util import setup_testing_defaults\n"
        "environ = {'PATH_INFO': '/shelf/2/'}; setup_testing_defaults(environ)\n"
        "assert b'author' in b''.join(Middleware(wsgi.application)(environ, lambda *a: None))",
    )
    (entry,) = window["entries"]
    assert (entry["entry"], entry["calls"], entry["status"]) == ("GET shelf/<int:count>/", 1, {"200": 1})


def test_an_asynchronous_stream_belongs_to_its_request(project: Path) -> None:
    if pytest.importorskip("django").VERSION < (4, 2):
        pytest.skip("this Django has no asynchronous streams")
    window = ask(
        project,
        "import asyncio\nfrom support import read\nasyncio.run(read())",
    )
    assert row(window["entries"], entry="GET astream/")["queries"]["sum"] == 2
    assert row(window["calls"], function="urls:achunks")["entry"] == "GET astream/"


def test_a_management_command_is_an_entry(project: Path) -> None:
    code = "from django.core.management import execute_from_command_line as go; go(['manage', 'count'])"
    window = ask(project, code)
    entry = row(window["entries"], entry="command:count")
    assert (entry["kind"], entry["queries"]["sum"]) == ("command", 1)


def test_no_query_is_counted_twice_with_debug(project: Path) -> None:
    code = "from django.db import connection\nconnection.force_debug_cursor = True\nclient.get('/shelf/2/')"
    window = ask(project, code)
    assert sum(row["executions"] for row in window["queries"]) == 3


def test_rows_are_counted_however_they_are_fetched(project: Path) -> None:
    write(
        project,
        fetching="""
        from django.db import connection
        def fetch():
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM books_book ORDER BY id LIMIT 7")
                assert cursor.fetchone() == (1,)
                assert len(cursor.fetchmany(2)) == 2
                assert len(cursor.fetchall()) == 4
                assert cursor.fetchone() is None
                cursor.execute("SELECT id FROM books_book ORDER BY id LIMIT 6")
                assert len(list(cursor)) == 6
    """,
    )
    window = ask(project, "import fetching; fetching.fetch()")
    assert [row["rows"] for row in window["queries"] if row["function"] == "fetching:fetch"] == [7, 6]


def test_gunicorn_writes_its_last_window_at_sigterm(project: Path) -> None:
    pytest.importorskip("gunicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "wsgi"]
    server = subprocess.Popen(
        [sys.executable, "-m", "burnish_sensor", "--", *command],
        cwd=project,
        env=sensed(DATABASE=str(project / "db")),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(6):
            get(f"http://127.0.0.1:{port}/shelf/3/")
    finally:
        server.send_signal(signal.SIGTERM)
        log = server.communicate(timeout=20)[1]
    assert "burnish_sensor" not in log, log
    found = windows(project)
    rows = [row for window in found for row in window["entries"]]
    assert sum(row["calls"] for row in rows if row["entry"] == "GET shelf/<int:count>/") == 6
    assert len({window["instance"] for window in found}) == len(found)
    for window in found:
        check_window(window)


def get(url: str, attempts: int = 100) -> bytes:
    for _ in range(attempts):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
