"""A real worker, with a broker and results in files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.hooks.entry_support import entries, entry_of
from tests.sensor.support import ROOT, run, windows, write

pytest.importorskip("celery")

APP = """
    import os, sqlite3
    from celery import Celery

    folder = os.environ["QUEUE"]
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
"""
SEND = """
    import shop
    results = [shop.bill.delay(n) for n in range(3)] + [shop.broken.delay("hunter2"), shop.again.delay()]
    for result in results:
        result.get(timeout=30, interval=0.05, propagate=False)
"""


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_tasks_are_entries(tmp_path: Path, pool: str) -> None:
    write(tmp_path, shop=APP)
    for name in ("results", "queue", "control"):
        (tmp_path / "files" / name).mkdir(parents=True)
    environ = {"QUEUE": str(tmp_path / "files"), "PYTHONPATH": str(ROOT / "sensor"), "BURNISH_WINDOW_SECONDS": "3600"}
    command = ["-m", "celery", "-A", "shop", "worker", "--pool", pool, "--concurrency", "1", "--loglevel", "CRITICAL"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "burnish_sensor", "--", *command, "--without-gossip", "--without-mingle"],
        cwd=tmp_path,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        sent = run(SEND, tmp_path, **environ, BURNISH_SENSOR="off")
    finally:
        worker.send_signal(signal.SIGTERM)
        log = worker.communicate(timeout=30)[1]
    assert sent.returncode == 0, sent.stderr
    assert "burnish_sensor" not in log, log
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
