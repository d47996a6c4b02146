"""Processes made by multiprocessing: each reports what it did, also where it ends without ``atexit``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.sensor.support import run, windows, write

APP = """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor

    def work(number):
        return number + 1

    def main(way, method):
        context = multiprocessing.get_context(method)
        work(0)
        if way == "processes":
            children = [context.Process(target=work, args=(n,)) for n in range(3)]
            for child in children: child.start()
            for child in children: child.join()
        elif way == "pool":
            with context.Pool(2) as pool:
                assert pool.map(work, range(20), chunksize=1) == list(range(1, 21))
                pool.close()
                pool.join()
        else:
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                assert list(pool.map(work, range(20))) == list(range(1, 21))
"""
MAIN = """
    import app, sys
    if __name__ == "__main__":
        app.main(*sys.argv[1:])
"""
CALLS = {"processes": 4, "pool": 21, "executor": 21}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("way", sorted(CALLS))
def test_each_process_reports_its_calls(tmp_path: Path, way: str, method: str) -> None:
    write(tmp_path, app=APP, main=MAIN)
    result = run(["-m", "burnish_sensor", "--", sys.executable, "main.py", way, method], tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    calls: Counter[str] = Counter()
    for window in windows(tmp_path):
        calls.update({row["function"]: row["calls"] for row in window["calls"]})
    assert calls["app:work"] == CALLS[way]
    assert calls["app:main"] == 1
