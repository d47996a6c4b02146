"""What every store of Burnish's own state has to do. A test class gives `store(directory)` and inherits the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.errors import LeaseHeld
from burnish.job import State
from burnish.store import Store
from tests.agent.test_backlog import job


class StateContract:
    """Inherit, and give `store` and `holder`."""

    def store(self, directory: Path) -> Store:
        """The store of this directory, at 7 s after 1970."""
        raise NotImplementedError

    def holder(self, directory: Path) -> str:
        """Python that makes the same `store`, for a process of its own."""
        raise NotImplementedError

    def test_a_job_comes_back_as_it_was(self, tmp_path: Path) -> None:
        saved = self.store(tmp_path).save(job(State.WAITING))
        assert saved.updated_unix == 7.0
        assert self.store(tmp_path).job(saved.id) == saved
        assert self.store(tmp_path).job(saved.id[:6]) == saved

    def test_an_ambiguous_or_unknown_id_is_no_job(self, tmp_path: Path) -> None:
        one = self.store(tmp_path)
        first = one.save(job(State.WAITING, n=1))
        one.save(job(State.WAITING, n=2))
        assert one.job(first.id[:4]) is None
        assert one.job("%") is None

    def test_saving_again_replaces(self, tmp_path: Path) -> None:
        one = self.store(tmp_path)
        one.save(job(State.WAITING))
        one.save(job(State.DONE))
        assert [j.state for j in one.jobs()] == [State.DONE]
        assert one.unfinished() == []

    def test_the_lease_goes_with_the_process(self, tmp_path: Path) -> None:
        code = f"import os, signal\n{self.holder(tmp_path)}\nwith store.lease():\n"
        code += "    print(os.getpid(), flush=True)\n    signal.pause()\n"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        number = process.stdout.readline().strip()
        try:
            with pytest.raises(LeaseHeld, match=f"process {number} .*is running a cycle"), self.store(tmp_path).lease():
                pass
        finally:
            process.kill()
            process.wait()
        self._lease_once_free(tmp_path)

    def _lease_once_free(self, directory: Path) -> None:
        with self.store(directory).lease():
            pass

    def test_runs_are_recorded(self, tmp_path: Path) -> None:
        one = self.store(tmp_path)
        assert one.last_run() is None
        one.end_run(one.begin_run(scheduled=False), {"windows": 3})
        last = one.last_run()
        assert last is not None
        assert (last.report, last.scheduled, last.started_unix, last.finished_unix) == ({"windows": 3}, False, 7.0, 7.0)
        assert one.last_run(scheduled=True) is None
        one.begin_run(scheduled=True)  # one that did not end
        assert one.last_run() == last
