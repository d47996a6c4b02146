"""Jobs, runs and the lease of a cycle in PostgreSQL."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from burnish.errors import DataError, LeaseHeld
from burnish.job import Job
from burnish.protocols import Clock
from burnish.store import Run, Store
from burnish_tools.state.server import Server

LOCK = 0x6275726E697368
"""Number of the advisory lock: `burnish` in ASCII. Locks of other databases on the server do not meet it."""
_SCHEMA: LiteralString = """
CREATE TABLE IF NOT EXISTS jobs (
    id text PRIMARY KEY, fingerprint text NOT NULL, function text NOT NULL, state text NOT NULL, step text NOT NULL,
    created_unix double precision NOT NULL, json text NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_function ON jobs (function);
CREATE TABLE IF NOT EXISTS runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scheduled boolean NOT NULL,
    started_unix double precision NOT NULL, finished_unix double precision, report text);
"""


class PostgresStore(Store):
    """The same as `Store`, in a database. Connects for each call, so that a server may restart in between."""

    def __init__(self, url: str, directory: Path, clock: Clock) -> None:
        """`directory` is for the files of this machine. Raises Unavailable, DataError."""
        self.directory, self._clock, self._server = directory, clock, Server(url)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{directory}: cannot be made ({error.strerror}); set `state` in the config") from error
        with self._server.connected() as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK + 1,))  # two that begin at once
            db.execute(_SCHEMA)

    def save(self, job: Job) -> Job:
        """Writes a job as it is now, and returns it with its time of change."""
        job = job.model_copy(update={"updated_unix": self._clock.now()})
        values = (
            job.id,
            job.finding.fingerprint,
            job.finding.function,
            job.state.value,
            job.step.value,
            job.created_unix,
            job.model_dump_json(),
        )
        with self._server.connected() as db:
            db.execute(
                "INSERT INTO jobs VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET"
                " state = excluded.state, step = excluded.step, json = excluded.json",
                values,
            )
        return job

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        with self._server.connected() as db:
            rows = db.execute('SELECT json FROM jobs ORDER BY created_unix, id COLLATE "C"').fetchall()
        return [Job.model_validate_json(text) for (text,) in rows]

    def job(self, job_id: str) -> Job | None:
        """By id, or by the start of one where only one job has it."""
        with self._server.connected() as db:
            rows = db.execute("SELECT json FROM jobs WHERE starts_with(id, %s)", (job_id,)).fetchall()
        return Job.model_validate_json(rows[0][0]) if len(rows) == 1 else None

    def begin_run(self, *, scheduled: bool) -> int:
        """Records that a cycle begins."""
        insert: LiteralString = "INSERT INTO runs (scheduled, started_unix) VALUES (%s, %s) RETURNING id"
        with self._server.connected() as db:
            ((number,),) = db.execute(insert, (scheduled, self._clock.now())).fetchall()
        return int(number)

    def end_run(self, run: int, report: dict[str, Any]) -> None:
        """Records how it ended."""
        values = self._clock.now(), json.dumps(report), run
        with self._server.connected() as db:
            db.execute("UPDATE runs SET finished_unix = %s, report = %s WHERE id = %s", values)

    def last_run(self, *, scheduled: bool | None = None) -> Run | None:
        """The newest cycle that finished; `scheduled` chooses those that the scheduler started or did not."""
        with self._server.connected() as db:
            row = db.execute(
                "SELECT id, scheduled, started_unix, finished_unix, report FROM runs WHERE finished_unix IS NOT NULL"
                " AND scheduled = coalesce(%s::boolean, scheduled) ORDER BY id DESC LIMIT 1",
                (scheduled,),
            ).fetchone()
        if row is None:
            return None
        number, was_scheduled, started, finished, report = row
        return Run(
            id=number,
            scheduled=was_scheduled,
            started_unix=started,
            finished_unix=finished,
            report=json.loads(report or "{}"),
        )

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Held for a cycle, by a connection of its own: the server lets it go when the process or its machine dies.

        Raises LeaseHeld where another process has it, on whatever machine.
        """
        with self._server.connected() as db:
            name = f"burnish, process {os.getpid()} on {socket.gethostname()}"
            db.execute("SELECT set_config('application_name', %s, false)", (name[:63],))
            ((held,),) = db.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchall()
            if not held:
                raise LeaseHeld(f"{self._server.shown}: {_holder(db)} is running a cycle; wait for it or stop it")
            yield

    def close(self) -> None:
        """Nothing is held between calls."""


def _holder(db: psycopg.Connection[tuple[Any, ...]]) -> str:
    row = db.execute(
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32) + l.objid::bigint = %s",
        (LOCK,),
    ).fetchone()
    return str(row[0]).removeprefix("burnish, ") if row else "another process"
