"""What the hooks of libraries cost: microseconds for each statement, and for each entry.

    python -m evals.bench.sensor.hook_cost [--rounds 40]

In one process with the sensor, blocks with the hooks in place and blocks with the hooks taken out again alternate, in
random order within each pair; the connections are made anew for each block, as hooks of drivers are in them. The
functions of the application are observed in both. Reported is CPU time: the least block with hooks minus the least
block without (what else runs on the machine only adds), the median difference of the pairs with a 95 % interval of that
median (binomial, from the ordered differences), and what the same work costs without hooks.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from time import process_time_ns
from typing import Any

APP = """
    import asyncio, sqlite3
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    def shelf(request, count):
        from django.db import connection
        with connection.cursor() as cursor:
            for number in range(count):
                cursor.execute("SELECT id, title FROM book WHERE id = %s", [number])
                cursor.fetchall()
        return HttpResponse("ok")

    urlpatterns = [path("shelf/<int:count>/", shelf)]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    settings.configure(ROOT_URLCONF=__name__, DATABASES=DATABASES, ALLOWED_HOSTS=["*"], USE_TZ=True)
    django.setup()

    CREATE = "CREATE TABLE book (id integer PRIMARY KEY, title text)"

    def direct(database, count):
        cursor = database.cursor()
        for number in range(count):
            cursor.execute("SELECT id, title FROM book WHERE id = ?", (number,)).fetchall()

    async def asked(session, statement, count):
        for number in range(count):
            (await session.execute(statement, {"number": number})).fetchall()
"""
STATEMENTS = 10


class Direct:
    """sqlite3 used as it is."""

    name = "sqlite3"

    def __init__(self, app: Any) -> None:
        self.app = app

    def connect(self) -> None:
        self.database = self.app.sqlite3.connect(":memory:")
        self.database.execute(self.app.CREATE)

    def run(self, statements: int) -> None:
        self.app.direct(self.database, statements)


class Django:
    """A request through Django's handler."""

    name = "Django request"

    def __init__(self, app: Any) -> None:
        from django.core.handlers.wsgi import WSGIHandler
        from django.test import RequestFactory

        self.app, self.handler, self.requests = app, WSGIHandler(), RequestFactory()

    def connect(self) -> None:
        from django.db import connection

        connection.close()
        connection.connection = None
        connection.cursor().execute(self.app.CREATE)

    def run(self, statements: int) -> None:
        assert self.handler.get_response(self.requests.get(f"/shelf/{statements}/")).status_code == 200


class Asynchronous:
    """SQLAlchemy's asyncio over aiosqlite, one session; the driver's thread is in the CPU time of both blocks."""

    name = "SQLAlchemy async session"

    def __init__(self, app: Any) -> None:
        import sqlalchemy

        self.app, self.loop = app, asyncio.new_event_loop()
        self.statement = sqlalchemy.text("SELECT id, title FROM book WHERE id = :number")
        self.session: Any = None

    def connect(self) -> None:
        self.loop.run_until_complete(self._connect())

    async def _connect(self) -> None:
        import sqlalchemy
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        if self.session is not None:
            await self.session.close()
            await self.engine.dispose()
        self.engine = create_async_engine("sqlite+aiosqlite://")
        self.session = AsyncSession(self.engine)
        await self.session.execute(sqlalchemy.text(self.app.CREATE))

    def run(self, statements: int) -> None:
        self.loop.run_until_complete(self.app.asked(self.session, self.statement, statements))


def cost(case: Any, hooks: Any, rounds: int, statements: int) -> tuple[float, ...]:
    """In µs of a run with so many statements: difference of the least, median difference, its interval, the least
    without hooks."""
    draw, differences, plain, observed_blocks = random.Random(7), [], [], []
    for _ in range(rounds):
        took = {}
        for observed in draw.sample([True, False], 2):
            hooks.remove()
            if observed:
                hooks.install_loaded()
            case.connect()
            took[observed] = _block(lambda: case.run(statements))
        differences.append(took[True] - took[False])
        plain.append(took[False])
        observed_blocks.append(took[True])
    differences.sort()
    reach = int(0.98 * rounds**0.5)  # 1.96 / 2 standard deviations of a binomial with p = 1/2
    middle = rounds // 2
    low, high = differences[max(middle - reach, 0)], differences[min(middle + reach, rounds - 1)]
    return min(observed_blocks) - min(plain), statistics.median(differences), low, high, min(plain)


def _block(work: Callable[[], None], runs: int = 20) -> float:
    work()
    start = process_time_ns()
    for _ in range(runs):
        work()
    return (process_time_ns() - start) / runs / 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "hook_cost_app.py").write_text(textwrap.dedent(APP))
        os.environ.update(BURNISH_ROOT=folder, BURNISH_OUTPUT=os.path.join(folder, "windows"), BURNISH_BUDGET="1")
        sys.path.insert(0, folder)
        import burnish_sensor
        from burnish_sensor import runtime

        burnish_sensor.start()
        assert runtime.active is not None
        app: Any = __import__("hook_cost_app")
        for kind in (Direct, Django, Asynchronous):
            case: Any = kind(app)
            _report(case, runtime.active.library_hooks, rounds)
        burnish_sensor.stop()


def _report(case: Any, hooks: Any, rounds: int) -> None:
    """A line for a run without statements, one for a run with, and what follows for each statement."""
    runs = {count: cost(case, hooks, rounds, count) for count in (0, STATEMENTS)}
    for count, (least, median, low, high, plain) in runs.items():
        name = f"{case.name}, {count} statements"
        print(
            f"{name:42} {least:+8.2f} µs   median {median:+8.2f} [{low:+.2f}, {high:+.2f}]   without hooks {plain:.1f}"
        )
    least, median, plain = ((runs[STATEMENTS][place] - runs[0][place]) / STATEMENTS for place in (0, 1, 4))
    print(f"{'  so each statement':42} {least:+8.2f} µs   median {median:+8.2f}   without hooks {plain:.1f}")


if __name__ == "__main__":
    main()
