"""What the SQLAlchemy recipes' examples do when they run, on a real database: the same with fewer queries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from burnish_tools.recipes._base import Act
from burnish_tools.recipes.batched_get import BatchedGet
from burnish_tools.recipes.selectinload import SelectInLoad

SHELF = """
from shelf import views
from shelf.models import *

ROWS = [Author(id=n, name=f"author {n}") for n in range(1, 9)]
ROWS += [Book(id=n, title=f"title {n}", author_id=1 + n * 5 % 8) for n in range(1, 31)]
ROWS += [Letter(id=n, author_id=n % 4 or None, reader_id=None) for n in range(1, 9)]
ARGUMENTS = ()
"""
SHOP = """
from shop import views
from shop.models import *

ROWS = [Customer(id=n, name=f"customer {n}") for n in range(1, 9)]
ROWS += [Order(id=n, customer_id=[None, 3, 99, 1, 3, 8][n % 6], reference="x" * (n % 2)) for n in range(1, 13)]
ARGUMENTS = {arguments}
"""
RUN = """
import asyncio, inspect, io, json
from contextlib import redirect_stdout

from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

queries = []
event.listen(Engine, "before_cursor_execute", lambda *given: queries.append(given[2]))


def names(value):
    return [names(each) for each in value] if isinstance(value, list) else getattr(value, "name", value)


async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add_all(ROWS)
        await session.commit()
    async with AsyncSession(engine) as session:
        given = [await session.scalars(select(Order)) if each == "orders" else each for each in ARGUMENTS]
        given = [list(each.all()) if hasattr(each, "all") else each for each in given]
        queries.clear()
        printed = io.StringIO()
        with redirect_stdout(printed):
            if inspect.iscoroutinefunction(views.listing):
                found = await views.listing(session, *given)
            else:
                found = await session.run_sync(lambda inner: views.listing(inner, *given))
        print(json.dumps([names(found), printed.getvalue(), len(queries)]))


asyncio.run(main())
"""
GIVEN = {
    "a list of keys": "([3, 99, 1, 3],)",
    "a comprehension": "((8, 1, 77, 1),)",
    "keys that rows hold": "('orders',)",
    "rows that were queried": "()",
}
IN_A_CLASS = ("in a repository's method, whose query is refined", "a session of the object")
EXAMPLES = [
    pytest.param(example, id=example.name)
    for recipe in (SelectInLoad, BatchedGet)
    for example in recipe.examples
    if isinstance(example, Act) and example.name not in IN_A_CLASS
]


def ran(folder: Path, files: Mapping[str, str], arguments: str) -> Any:
    """(result, output, number of queries)"""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    shop = any(path.startswith("shop") for path in files)
    script = (SHOP.replace("{arguments}", arguments) if shop else SHELF) + RUN
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_same_comes_out_with_fewer_queries(tmp_path: Path, example: Act) -> None:
    arguments = GIVEN.get(example.name, "()")
    before = ran(tmp_path / "before", example.files, arguments)
    after = ran(tmp_path / "after", {**example.files, **example.after}, arguments)
    assert before[:2] == after[:2]
    assert before[0] or before[1]
    assert after[2] < before[2]
