from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.sql_support import line_of, lines, observe, queries
from tests.sensor.support import ROOT

APP = """
    import asyncio, sqlite3
    import library

    async def main():
        db = sqlite3.connect(":memory:")
        await asyncio.gather(*(library.ask(db, n) for n in (1, 2)))
        task = asyncio.get_running_loop().create_task(library.ask(db, 3), name="later")
        await asyncio.wait_for(task, 5)
"""
LIBRARY = """
    import asyncio

    async def ask(db, number):
        await asyncio.sleep(0)
        return db.execute("SELECT ?", (number,)).fetchall()
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_task_of_a_library_is_attributed_to_the_function_that_started_it(tmp_path: Path, loop: str) -> None:
    pytest.importorskip(loop)
    package = tmp_path / "site-packages"
    package.mkdir()
    (package / "library.py").write_text(LIBRARY.replace("\n    ", "\n"))
    code = f"import {loop}; {loop}.new_event_loop().run_until_complete(app.main())"
    window = observe(tmp_path, APP, code, PYTHONPATH=f"{ROOT / 'sensor'}:{package}")
    assert queries(window) == {("main", "SELECT ?"): (3, 3)}
    assert lines(window, "app:main") == [line_of(APP, "gather("), line_of(APP, "create_task(")]
