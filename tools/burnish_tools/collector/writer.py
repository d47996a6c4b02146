"""The one thread that reads bodies and writes the store: many requests a transaction, each answered after it.

take from the queue → inflate and parse → commit → answer;  about once a second: OTLP that is due, roll-up
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from burnish_tools.collector.answers import DATABASE_SECONDS, Answer, Dialect, Rejected, said
from burnish_tools.collector.body import inflated
from burnish_tools.collector.deployments import mark
from burnish_tools.collector.depot import Depot, Later
from burnish_tools.collector.health import Health
from burnish_tools.collector.intake import Batch, batch, of_lines
from burnish_tools.collector.ports import MakeReceiver
from burnish_tools.collector.queue import Queue, Task
from burnish_tools.collector.refused import Refused
from burnish_tools.collector.settings import MB, CollectorSettings
from burnish_tools.collector.signals import Signals
from burnish_tools.runtime.store import Store

GROUP = 64
"""Requests in a transaction."""
GROUP_BYTES = 8 * MB
"""Of their bodies, as sent and inflated: bounds what is parsed at once, some ten times as much in memory."""
_TICK_SECONDS = 1.0


class Writer:
    """Owns the store while it runs."""

    def __init__(
        self,
        store: Store,
        refused: Refused,
        settings: CollectorSettings,
        health: Health,
        *,
        receiver: MakeReceiver | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Stores what an earlier collector kept. Raises what the store raises, Later."""
        self._store, self._refused, self._health, self._now = store, refused, health, now
        self._limit = int(settings.max_body_mb * MB)
        self._tidy_seconds = settings.tidy_minutes * 60
        self._tidied = self._ticked = time.monotonic()
        self._depot = Depot(store, refused, health, settings.max_services)
        self._signals = Signals(receiver, self._depot, health, self._limit) if receiver else None
        self.queue = Queue()
        self._read_again()
        self._thread = threading.Thread(target=self._run, name="burnish-collector-writer")

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def close(self) -> None:
        """Takes nothing more, writes what waits, ends."""
        self.queue.close()
        self._thread.join()

    def _read_again(self) -> None:
        """What was of a newer format then may be of ours now."""
        for path, lines in self._refused.again():
            found = of_lines(lines)
            left, found.newer = found.newer, []
            self._depot.put([found])
            self._refused.leave(path, left)

    def _run(self) -> None:
        while True:
            tasks = self.queue.take(GROUP, GROUP_BYTES, _TICK_SECONDS)
            try:
                self._work(tasks)
                self._keep_house()
            except Exception as error:  # noqa: BLE001 - the edge of the thread: it must go on, and everybody be answered
                self._failed(error, tasks)
            if self.queue.closed and not tasks and not len(self.queue):
                break
        self._end()

    def _work(self, tasks: Sequence[Task]) -> None:
        group: list[tuple[Task, Batch]] = []
        size = 0
        for task in tasks:
            try:
                if task.kind == "windows":
                    body = inflated(task.body, task.encoding, self._limit)
                    group.append((task, batch(body)))
                    size += len(body)
                else:
                    task.finish(self._at_once(task))
            except Rejected as rejected:
                task.finish(self._rejected(task, rejected))
            except Exception as error:  # noqa: BLE001 - one request that fails must not take the others with it
                self._failed(error, [task])
            if size > GROUP_BYTES:
                self._commit(group)
                group, size = [], 0
        self._commit(group)

    def _at_once(self, task: Task) -> Answer:
        if task.kind == "deployment":
            return self._deploy(inflated(task.body, task.encoding, self._limit))
        if self._signals is None:
            raise Rejected(404, "this build takes no OTLP")
        return self._signals.take(task)

    def _deploy(self, body: bytes) -> Answer:
        told = mark(body)
        deployment = told.deployment(int(self._now() * 1e9))
        try:
            self._store.mark(deployment, told.service, told.environment)
        except Exception as error:
            self._health.failed(str(error))
            raise Rejected(429, "the database cannot be written; come again", retry_after=DATABASE_SECONDS) from error
        self._health.written()
        self._health.accepted("deployments", 1)
        return said({"release": deployment.release, "unix_ns": deployment.unix_ns})

    def _commit(self, group: Sequence[tuple[Task, Batch]]) -> None:
        if not group:
            return
        try:
            self._depot.put([batch for _, batch in group])
        except Later as later:
            self._health.failed(str(later))
        for task, one in group:
            if not one.stored:
                task.finish(self._rejected(task, _unwritable()))
                continue
            self._health.accepted("windows", one.new)
            self._health.accepted("duplicates", one.duplicates)
            for refusal in one.refused:
                self._health.refused(refusal.reason)
                self._health.problem(f"refused {refusal.reason}", f"windows are refused: {refusal.reason}")
            task.finish(one.answer())

    def _failed(self, error: Exception, tasks: Sequence[Task]) -> None:
        """A bug of ours: who waits is told to come again (who has been answered, is not told twice)."""
        kind = type(error).__name__
        self._health.problem(f"writer {kind}", f"the writer failed: {kind}; this is a bug of the collector")
        for task in tasks:
            task.finish(_sorry(task))

    def _rejected(self, task: Task, rejected: Rejected) -> Answer:
        self._health.refused(f"{task.kind} {rejected.status}")
        return rejected.answer(dialect(task.kind, task.json))

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now - self._ticked < _TICK_SECONDS:
            return
        self._ticked = now
        try:
            if self._signals is not None:
                self._signals.tick()
            if now - self._tidied >= self._tidy_seconds and not self._store.tidy(self._now()):
                self._tidied = now
        except Exception as error:  # noqa: BLE001 - whatever the store has, requests are answered
            self._health.failed(str(error))

    def _end(self) -> None:
        try:
            if self._signals is not None:
                self._signals.close()
        except Exception as error:  # noqa: BLE001 - the receiver's journal keeps it for the next start
            self._health.failed(str(error))


def dialect(kind: str, json: bool) -> Dialect:
    """How errors are written to who sent this."""
    if kind not in ("traces", "metrics"):
        return Dialect.OURS
    return Dialect.OTLP_JSON if json else Dialect.OTLP_PROTOBUF


def _unwritable() -> Rejected:
    return Rejected(429, "the database cannot be written now; come again", retry_after=DATABASE_SECONDS)


def _sorry(task: Task) -> Answer:
    rejected = Rejected(503, "the collector failed on this request; its log says more", retry_after=DATABASE_SECONDS)
    return rejected.answer(dialect(task.kind, task.json))
