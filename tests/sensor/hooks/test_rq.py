"""Whole RQ workers, which fork for each job, with a Redis server; and jobs that are run where they are enqueued."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.hooks.entry_support import entries, entry_of, entry_sums
from tests.sensor.hooks.sql_support import observe
from tests.sensor.support import run, sensed, windows, write

pytest.importorskip("rq")

APP = """
    import os, sqlite3, time
    from redis import Redis
    from rq import Queue

    QUEUE = Queue("default", connection=Redis(port=int(os.environ["REDIS"])))

    def bill(number):
        return lookup(number)

    def lookup(number):
        return sqlite3.connect(":memory:").execute("SELECT ?", (number,)).fetchone()[0]

    def broken(secret):
        raise LookupError(secret)

    def slow():
        time.sleep(10)

    def main():
        now = Queue("now", is_async=False, connection=QUEUE.connection)
        for number in range(2):
            now.enqueue(bill, number)
"""
SEND = """
    import app
    from rq import Retry
    for number in range(12):
        app.QUEUE.enqueue("app.bill", number)
    app.QUEUE.enqueue("app.broken", "hunter2")
    app.QUEUE.enqueue("app.broken", "hunter2", retry=Retry(max=1))
    app.QUEUE.enqueue("app.slow", job_timeout=1)
"""


def test_a_worker_that_forks_for_each_job_loses_and_doubles_nothing(tmp_path: Path, redis_port: str) -> None:
    write(tmp_path, app=APP)
    sent = run(SEND, tmp_path, BURNISH_SENSOR="off", REDIS=redis_port)
    assert sent.returncode == 0, sent.stderr
    command = ["-m", "rq.cli", "worker", "--burst", "--url", f"redis://127.0.0.1:{redis_port}", "default"]
    worker = subprocess.run(
        [sys.executable, "-m", "burnish_sensor", "--", *command],
        cwd=tmp_path,
        env=sensed(REDIS=redis_port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr
    assert "burnish_sensor:" not in worker.stderr
    found = windows(tmp_path)
    for window in found:
        check_window(window)
    assert entry_sums(found) == {
        "job:app.bill": (12, {}, {}),
        "job:app.broken": (3, {}, {"LookupError": 3}),
        "job:app.slow": (1, {}, {"JobTimeoutException": 1}),
    }
    assert sum(entry_of(window, "app:lookup").get("job:app.bill", 0) for window in found) == 12
    assert len({window["instance"] for window in found}) == len(found)
    assert "hunter2" not in str(found)


def test_jobs_run_at_once_are_entries(tmp_path: Path, redis_port: str) -> None:
    window = observe(tmp_path, APP, REDIS=redis_port)
    assert entries(window)["job:app.bill"] == (2, {}, {})
    assert entry_of(window, "app:lookup") == {"job:app.bill": 2}
