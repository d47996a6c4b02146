"""Jobs run by RQ's own ``perform``; a whole worker would need a Redis server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.entry_support import entries, entry_of
from tests.sensor.hooks.sql_support import observe
from tests.sensor.support import run, windows, write

pytest.importorskip("rq")

APP = """
    import sqlite3
    from redis import Redis
    from rq.job import Job

    NOWHERE = Redis(port=1)

    def bill(number):
        return sqlite3.connect(":memory:").execute("SELECT ?", (number,)).fetchone()[0]

    def broken(secret):
        raise LookupError(secret)

    def main():
        for number in range(2):
            assert Job.create(bill, args=(number,), connection=NOWHERE).perform() == number
        try:
            Job.create("app.broken", args=("hunter2",), connection=NOWHERE).perform()
        except LookupError:
            pass
"""
HORSE = """
    import logging, os
    import burnish_sensor
    burnish_sensor.start()
    import app
    from rq.worker import Worker

    class Local(Worker):
        name, queues, _is_horse, log = "local", [], True, logging.getLogger("rq")
        def __init__(self): pass
        def prepare_job_execution(self, *arguments): pass
        def _finalize_success(self, *arguments): pass

    child = os.fork()
    if child == 0:
        job = app.Job.create(app.bill, args=(1,), connection=app.NOWHERE)
        os._exit(0 if Local().perform_job(job, None, None) else 1)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_jobs_are_entries(tmp_path: Path) -> None:
    window = observe(tmp_path, APP)
    assert entries(window) == {"job:app.bill": (2, {}, {}), "job:app.broken": (1, {}, {"LookupError": 1})}
    assert entry_of(window, "app:bill") == {"job:app.bill": 2}
    assert "hunter2" not in str(window)


def test_a_work_horse_writes_what_it_did_before_it_exits(tmp_path: Path) -> None:
    write(tmp_path, app=APP)
    result = run(HORSE, tmp_path)
    assert result.returncode == 0, result.stderr
    (window,) = (window for window in windows(tmp_path) if window["entries"])
    assert entries(window) == {"job:app.bill": (1, {}, {})}
