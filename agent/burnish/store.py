"""Burnish's own state in one SQLite file: jobs (the truth about each), runs, and the lock that keeps a second run out.

The dataset about the service lives elsewhere; this file is small, and a corrupt one is named with the mend.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from burnish.errors import DataError, LeaseHeld
from burnish.finding import Model
from burnish.job import Job, State
from burnish.protocols import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, function TEXT NOT NULL, state TEXT NOT NULL, step TEXT NOT NULL,
    created_unix REAL NOT NULL, json TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_function ON jobs (function);
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, scheduled INTEGER NOT NULL, started_unix REAL NOT NULL, finished_unix REAL, report TEXT);
"""


class Run(Model):
    """One cycle, as recorded."""

    id: int
    scheduled: bool
    started_unix: float
    finished_unix: float | None
    report: dict[str, Any]


class Store:
    """Jobs and runs under a state directory, which is made when needed."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory, self._clock = directory, clock
        self.path = directory / "state.sqlite3"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{directory}: cannot be made ({error.strerror}); set `state` in the config") from error
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self.path}: cannot be read ({error}); move it away to start afresh (jobs and verdicts are in it)"
            ) from error

    def save(self, job: Job) -> Job:
        """Writes a job as it is now, and returns it with its time of change."""
        job = job.model_copy(update={"updated_unix": self._clock.now()})
        self._db.execute(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "state = excluded.state, step = excluded.step, json = excluded.json",
            (
                job.id,
                job.finding.fingerprint,
                job.finding.function,
                job.state.value,
                job.step.value,
                job.created_unix,
                job.model_dump_json(),
            ),
        )
        return job

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        rows = self._db.execute("SELECT json FROM jobs ORDER BY created_unix, id")
        return [Job.model_validate_json(text) for (text,) in rows]

    def job(self, job_id: str) -> Job | None:
        """By id, or by the start of one where only one job has it."""
        rows = self._db.execute("SELECT json FROM jobs WHERE substr(id, 1, ?) = ?", (len(job_id), job_id)).fetchall()
        return Job.model_validate_json(rows[0][0]) if len(rows) == 1 else None

    def unfinished(self) -> list[Job]:
        """Jobs that are running or waiting, oldest first."""
        return [job for job in self.jobs() if job.state in (State.RUNNING, State.WAITING)]

    def begin_run(self, *, scheduled: bool) -> int:
        """Records that a cycle begins."""
        row = self._db.execute(
            "INSERT INTO runs (scheduled, started_unix) VALUES (?, ?) RETURNING id", (scheduled, self._clock.now())
        ).fetchone()
        return int(row[0])

    def end_run(self, run: int, report: dict[str, Any]) -> None:
        """Records how it ended."""
        self._db.execute(
            "UPDATE runs SET finished_unix = ?, report = ? WHERE id = ?", (self._clock.now(), json.dumps(report), run)
        )

    def last_run(self, *, scheduled: bool | None = None) -> Run | None:
        """The newest cycle that finished; `scheduled` chooses those that the scheduler started or did not."""
        row = self._db.execute(
            "SELECT id, scheduled, started_unix, finished_unix, report FROM runs WHERE finished_unix IS NOT NULL "
            "AND (? IS NULL OR scheduled = ?) ORDER BY id DESC LIMIT 1",
            (scheduled, scheduled),
        ).fetchone()
        if row is None:
            return None
        return Run(
            id=row[0],
            scheduled=bool(row[1]),
            started_unix=row[2],
            finished_unix=row[3],
            report=json.loads(row[4] or "{}"),
        )

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Held for a cycle. The operating system lets it go when the process dies, however it dies.

        Raises LeaseHeld where another process has it.
        """
        path = self.directory / "run.lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise LeaseHeld(f"{path}: {holder} is running a cycle; wait for it or stop it") from error
            file.truncate(0)
            file.write(f"process {os.getpid()}")
            file.flush()
            yield

    def close(self) -> None:
        """Lets the file go."""
        self._db.close()
