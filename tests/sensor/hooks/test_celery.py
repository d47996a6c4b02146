"""Real workers: with a broker and results in files, and with a Redis server between processes that are replaced."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.hooks.entry_support import entries, entry_of, entry_sums
from tests.sensor.support import run, sensed, windows, write

pytest.importorskip("celery")

APP = """
    import os, sqlite3, time
    from celery import Celery

    folder, redis = os.environ["QUEUE"], os.environ.get("REDIS")
    if redis:
        url = "redis://127.0.0.1:%s/" % redis
        app = Celery("shop", broker=url + "1", backend=url + "2")
    else:
        app = Celery("shop", broker="filesystem://", backend="file://" + folder + "/results")
        app.conf.broker_transport_options = {key: folder + "/queue" for key in ("data_folder_in", "data_folder_out")}
        app.conf.broker_transport_options["control_folder"] = folder + "/control"
    app.conf.worker_hijack_root_logger = False

    @app.task(name="shop.bill")
    def bill(number):
        return lookup(number)

    def lookup(number):
        return sqlite3.connect(":memory:").execute("SELECT ?", (number,)).fetchone()[0]

    @app.task(name="shop.broken")
    def broken(number):
        raise LookupError("hunter2")

    @app.task(name="shop.again", bind=True, max_retries=1)
    def again(self):
        if self.request.retries == 0:
            raise self.retry(countdown=0, exc=OSError("hunter2"))

    @app.task(name="shop.late", soft_time_limit=1)
    def late():
        time.sleep(10)
"""
SEND = """
    import shop
    results = [shop.bill.delay(n) for n in range(3)] + [shop.broken.delay("hunter2"), shop.again.delay()]
    for result in results:
        result.get(timeout=30, interval=0.05, propagate=False)
"""


@contextmanager
def worker(folder: Path, *options: str, **environ: str) -> Iterator[None]:
    """A worker under the sensor, ended by SIGTERM; the sensor must say nothing."""
    command = ["-m", "celery", "-A", "shop", "worker", "--loglevel", "CRITICAL", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "burnish_sensor", "--", *command, "--without-gossip", "--without-mingle"],
        cwd=folder,
        env=sensed(**environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            log = process.communicate(timeout=40)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(process.communicate()[1])
    assert "burnish_sensor:" not in log, log


def prepare(folder: Path) -> dict[str, str]:
    write(folder, shop=APP)
    for name in ("results", "queue", "control"):
        (folder / "files" / name).mkdir(parents=True)
    return {"QUEUE": str(folder / "files")}


@pytest.mark.parametrize("pool", ["solo", "prefork", "threads"])
def test_tasks_are_entries(tmp_path: Path, pool: str) -> None:
    environ = prepare(tmp_path)
    with worker(tmp_path, "--pool", pool, "--concurrency", "1", **environ):
        sent = run(SEND, tmp_path, **environ, BURNISH_SENSOR="off")
    assert sent.returncode == 0, sent.stderr
    found = windows(tmp_path)
    for window in found:
        check_window(window)
    (tasks,) = (window for window in found if window["entries"])
    assert entries(tasks) == {
        "task:shop.bill": (3, {"SUCCESS": 3}, {}),
        "task:shop.broken": (1, {"FAILURE": 1}, {"LookupError": 1}),
        "task:shop.again": (2, {"RETRY": 1, "SUCCESS": 1}, {"OSError": 1}),
    }
    assert entry_of(tasks, "shop:lookup") == {"task:shop.bill": 3}
    assert {row["kind"] for row in tasks["entries"]} == {"task"}
    assert "hunter2" not in str(found)


MANY = """
    import shop
    results = [shop.bill.delay(n) for n in range(25)] + [shop.late.delay()]
    for result in results:
        result.get(timeout=40, propagate=False)
"""


def test_processes_that_are_replaced_lose_nothing(tmp_path: Path, redis_port: str) -> None:
    environ = {**prepare(tmp_path), "REDIS": redis_port}
    options = ("--pool", "prefork", "--concurrency", "2", "--max-tasks-per-child", "4")
    with worker(tmp_path, *options, **environ):
        sent = run(MANY, tmp_path, **environ, BURNISH_SENSOR="off")
    assert sent.returncode == 0, sent.stderr
    found = windows(tmp_path)
    for window in found:
        check_window(window)
    assert entry_sums(found) == {
        "task:shop.bill": (25, {"SUCCESS": 25}, {}),
        "task:shop.late": (1, {"FAILURE": 1}, {"SoftTimeLimitExceeded": 1}),
    }
    assert sum(entry_of(window, "shop:lookup").get("task:shop.bill", 0) for window in found) == 25
    assert len({window["instance"] for window in found}) == len(found) > 4
