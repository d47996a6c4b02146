"""Processes that make processes: each reports what it did itself, nothing is lost and nothing is told twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sensor.faults.support import STINGY, calls, instances, same
from tests.sensor.support import write

CHILD = """
    import os, threading
    def before(): pass
    def child(): pass
    def parent(): pass
    def reap(pid):
        status = os.waitpid(pid, 0)[1]
        assert status == 0, status
    def fork():
        pid = os.fork()
        if pid:
            return pid
        child()
        raise SystemExit(0)
"""


def by_process(folder: Path) -> list[Counter[str]]:
    """Calls by function of each process."""
    found = []
    for windows in instances(folder).values():
        rows = [row for window in windows for row in window["calls"]]
        found.append(sum((Counter({row["function"]: row["calls"]}) for row in rows), Counter()))
    return found


def test_a_fork_deep_in_a_call_stack(tmp_path: Path) -> None:
    main = """
        import app
        def deep(n):
            return app.fork() if n == 0 else deep(n - 1)
        for _ in range(5):
            app.before()
        app.reap(deep(200))
        app.parent()
        print("done")
    """
    write(tmp_path, app=CHILD, main=main)
    same(["main.py"], tmp_path)
    assert len(instances(tmp_path)) == 2
    found = calls(tmp_path)
    assert (found["app:before"], found["app:child"], found["app:parent"]) == (5, 1, 1)
    for process in by_process(tmp_path):
        assert bool(process["app:child"]) != bool(process["app:before"])


def test_a_fork_in_a_thread(tmp_path: Path) -> None:
    main = """
        import os, threading, app
        def forking():
            pid = os.fork()
            if pid == 0:
                app.child()
                app.child()
                os.kill(os.getpid(), 15)  # a thread cannot end its process by returning
                import time; time.sleep(10)
            print(os.waitpid(pid, 0)[1])
            app.parent()
        for _ in range(5):
            app.before()
        for _ in range(3):
            thread = threading.Thread(target=forking)
            thread.start()
            thread.join()
    """
    write(tmp_path, app=CHILD, main=main)
    same(["-W", "ignore", "main.py"], tmp_path)
    found = calls(tmp_path)
    assert (found["app:before"], found["app:child"], found["app:parent"]) == (5, 6, 3)
    assert len(instances(tmp_path)) == 4


def test_forks_while_other_threads_call_and_import(tmp_path: Path) -> None:
    """What a thread held at the fork, the registry's lock too, must not stop the child."""
    main = """
        import importlib, os, sys, threading, app
        for n in range(150):
            with open("m%d.py" % n, "w") as stream:
                stream.write("def f(): return %d\\n" % n * 20)
        importlib.invalidate_caches()
        stopped = False
        def calling():
            while not stopped: app.before()
        def importing():
            n = 0
            while not stopped:
                name = "m%d" % (n % 100)
                sys.modules.pop(name, None)
                importlib.import_module(name).f()
                n += 1
        threads = [threading.Thread(target=target, daemon=True) for target in (calling, importing, calling)]
        for thread in threads: thread.start()
        for n in range(10):
            pid = os.fork()
            if pid == 0:
                try:
                    assert importlib.import_module("m%d" % (100 + n)).f() == 100 + n
                    app.child()
                finally:
                    os._exit(0 if sys.exc_info()[0] is None else 1)
            app.reap(pid)
        stopped = True
        for thread in threads: thread.join()
        print("done")
    """
    write(tmp_path, app=CHILD, main=main)
    assert same(["-W", "ignore", "main.py"], tmp_path)[:2] == (0, "done\n")
    assert calls(tmp_path)["app:reap"] == 10


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("settings", [{}, STINGY], ids=["all recorded", "sampled"])
def test_multiprocessing(method: str, settings: dict[str, str], tmp_path: Path) -> None:
    app = """
        import os
        def work(n): return step(n) * 2
        def step(n): return n
        def fail(n): raise KeyError(n)
    """
    main = f"""
        import multiprocessing, app
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            with context.Pool(2) as pool:
                print(sum(pool.map(app.work, range(1000), 10)))
                try:
                    pool.apply(app.fail, (3,))
                except KeyError as error:
                    print(repr(error))
                pool.close()
                pool.join()
            process = context.Process(target=app.step, args=(1,))
            process.start()
            process.join()
            print(process.exitcode)
    """
    write(tmp_path, app=app, main=main)
    same(["main.py"], tmp_path, **settings)
    found = calls(tmp_path)
    assert found["app:fail"] == 1
    if settings:
        assert found["app:work"] > 0
    else:
        assert (found["app:work"], found["app:step"]) == (1000, 1001)


def test_a_process_that_is_terminated_by_its_parent(tmp_path: Path) -> None:
    app = """
        import time
        def work(): pass
        def forever(ready):
            for _ in range(7): work()
            ready.set()
            time.sleep(60)
    """
    main = """
        import multiprocessing, app
        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            ready = context.Event()
            process = context.Process(target=app.forever, args=(ready,))
            process.start()
            ready.wait()
            process.terminate()
            process.join()
            print(process.exitcode)
    """
    write(tmp_path, app=app, main=main)
    assert same(["main.py"], tmp_path)[:2] == (0, "-15\n")
    assert calls(tmp_path)["app:work"] == 7


def test_a_chain_of_forks(tmp_path: Path) -> None:
    main = """
        import os, app
        for n in range(6):
            pid = os.fork()
            if pid:
                app.parent()
                app.reap(pid)
                break
            app.child()
        print("end", flush=True)
    """
    write(tmp_path, app=CHILD, main=main)
    same(["main.py"], tmp_path)
    assert len(instances(tmp_path)) == 7
    found = calls(tmp_path)
    assert (found["app:child"], found["app:parent"]) == (6, 6)


def test_a_subprocess_and_an_exec(tmp_path: Path) -> None:
    main = """
        import os, subprocess, sys, app
        app.before()
        subprocess.run([sys.executable, "-c", "import app; app.child()"], check=True)
        pid = os.fork()
        if pid == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import app; app.child()"])
        app.reap(pid)
        print("done")
    """
    write(tmp_path, app=CHILD, main=main)
    same(["main.py"], tmp_path)
    assert calls(tmp_path)["app:child"] == 2
