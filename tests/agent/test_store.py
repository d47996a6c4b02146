from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from burnish.errors import DataError, LeaseHeld
from burnish.job import State
from burnish.store import Store
from burnish.testing.scripted import FixedClock
from tests.agent.test_backlog import job


def store(directory: Path) -> Store:
    return Store(directory, FixedClock(7.0))


def test_a_job_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = store(tmp_path).save(job(State.WAITING))
    assert saved.updated_unix == 7.0
    assert store(tmp_path).job(saved.id) == saved
    assert store(tmp_path).job(saved.id[:6]) == saved


def test_an_ambiguous_or_unknown_id_is_no_job(tmp_path: Path) -> None:
    one = store(tmp_path)
    first = one.save(job(State.WAITING, n=1))
    one.save(job(State.WAITING, n=2))
    assert one.job(first.id[:4]) is None
    assert one.job("%") is None


def test_saving_again_replaces(tmp_path: Path) -> None:
    one = store(tmp_path)
    one.save(job(State.WAITING))
    one.save(job(State.DONE))
    assert [j.state for j in one.jobs()] == [State.DONE]
    assert one.unfinished() == []


def test_a_corrupt_file_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DataError, match=r"state\.sqlite3: cannot be read .*move it away"):
        store(tmp_path)


def test_the_lease_goes_with_the_process(tmp_path: Path) -> None:
    holder = textwrap.dedent(
        """
        import os, pathlib, signal, sys
        from burnish.store import Store
        from burnish.testing.scripted import FixedClock
        with Store(pathlib.Path(sys.argv[1]), FixedClock()).lease():
            print(os.getpid(), flush=True)
            signal.pause()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    number = process.stdout.readline().strip()
    try:
        with pytest.raises(LeaseHeld, match=f"process {number} is running a cycle"), store(tmp_path).lease():
            pass
    finally:
        process.kill()
        process.wait()
    with store(tmp_path).lease():
        pass


def test_runs_are_recorded(tmp_path: Path) -> None:
    one = store(tmp_path)
    assert one.last_run() is None
    one.end_run(one.begin_run(scheduled=False), {"windows": 3})
    last = one.last_run()
    assert last is not None
    assert last.report == {"windows": 3}
    assert one.last_run(scheduled=True) is None
