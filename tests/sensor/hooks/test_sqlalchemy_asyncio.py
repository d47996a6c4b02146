"""SQLAlchemy's asyncio, whose inside runs in greenlets: who asked, and whose time it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.sql_support import line_of, observe, queries
from tests.sensor.support import bare, short

pytest.importorskip("sqlalchemy")
pytest.importorskip("aiosqlite")
pytest.importorskip("greenlet")

APP = """
    import asyncio
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")

    async def total(session, number):
        rows = await session.execute(sa.text("SELECT 1 UNION SELECT :n"), {"n": number})
        return len(rows.fetchall())

    def blocking(session, count):
        for number in range(count):
            step(session, number)
        return count

    def step(session, number):
        session.execute(
            sa.text("SELECT :n AS a"), {"n": number}
        ).fetchall()

    async def legacy(count):
        async with AsyncSession(engine) as session:
            assert await session.run_sync(blocking, count) == count
            await total(session, count)

    async def schema():
        async with engine.connect() as connection:
            return await connection.run_sync(names)

    def names(connection):
        return connection.execute(sa.text("SELECT name FROM sqlite_master")).fetchall()

    async def main():
        await asyncio.gather(*(legacy(n) for n in (3, 4, 5)))
        await schema()
"""


def test_functions_that_are_run_in_a_greenlet(tmp_path: Path) -> None:
    window = observe(tmp_path, APP, "import asyncio; asyncio.run(app.main())")
    assert queries(window) == {
        ("total", "SELECT ? UNION SELECT ?"): (3, 6),
        ("step", "SELECT ? AS a"): (12, 12),
        ("names", "SELECT name FROM sqlite_master"): (1, 0),
    }
    calls = {bare(row["function"]): short(row) for row in window["calls"]}
    assert calls["step"]["callers"] == {"blocking": 12}
    assert calls["blocking"]["callers"] == {"legacy": 3}
    assert calls["names"]["callers"] == {"schema": 1}
    assert calls["step"]["wall"] <= calls["blocking"]["wall"] <= calls["legacy"]["wall"]
    for name in ("step", "blocking", "legacy"):
        assert 0 < calls[name]["own"] <= calls[name]["wall"]
    per_call = {
        bare(row["function"]): (row["calls"], row["executions"]["sum"])
        for row in window["per_call"]
        if row["site"]["function"] == "app:step"
    }
    assert per_call["step"] == (12, 12)
    assert per_call["blocking"] == per_call["legacy"] == (3, 12)
    (line,) = {row["line"] for row in window["queries"] if row["function"] == "app:step"}
    assert line in (line_of(APP, "        session.execute("), line_of(APP, "        session.execute(") + 1)
