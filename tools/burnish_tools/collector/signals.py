"""OTLP in the writer's thread: journal, receiver, and the windows that it made and that are not in the store yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from burnish.errors import DataError
from burnish_tools.collector.admission import check
from burnish_tools.collector.answers import DATABASE_SECONDS, JSON, PROTOBUF, Answer, Rejected
from burnish_tools.collector.body import inflated
from burnish_tools.collector.journal import Entry, Journal
from burnish_tools.collector.ports import MakeReceiver, Receiver
from burnish_tools.collector.queue import Task
from burnish_tools.runtime.format import Window

MOST_WAITING = 20_000
"""Windows that wait for a store that cannot be written; beyond that no OTLP is taken."""


class Signals:
    """Bodies in, windows out (`made`). `clock` in Unix ns."""

    def __init__(
        self, make: MakeReceiver, journal: Journal, clock: Callable[[], int], limit: int, note: Callable[[str], None]
    ) -> None:
        """Makes windows of what a journal holds; `restart` when they are stored, before anything is taken.

        `limit` bounds a body when it is inflated; `note` is told of what went wrong with single windows or bodies.
        """
        self._make, self.journal, self._clock, self._limit, self._note = make, journal, clock, limit, note
        self.made: list[Window] = []
        """To be stored; who has stored them takes them away."""
        self._now = journal.begun_unix_ns or clock()
        self._begun = self._now
        self._receiver = self._new()
        self._open = False
        self._replay()

    def take(self, task: Task) -> Answer:
        """Writes the body down, then reads it; the answer may be given at once. Raises Rejected."""
        if not self._open or len(self.made) > MOST_WAITING:
            raise Rejected(429, "the database cannot be written; come again", retry_after=DATABASE_SECONDS)
        self._now = self._clock()
        body = inflated(task.body, task.encoding, self._limit)
        entry = Entry(task.kind, task.json, task.encoding, self._now, task.body)
        try:
            self.journal.append(entry)
        except OSError as error:
            text = f"{self.journal.path}: {error.strerror}; make room on its disk"
            raise Rejected(429, text, retry_after=DATABASE_SECONDS) from error
        return self._read(entry, body)

    def tick(self) -> None:
        """About once a second."""
        if self._open:
            self._now = self._clock()
            self._receiver.tick()

    def finish(self) -> None:
        """Makes windows of all that is open, and takes nothing more until they are stored and `restart` is called."""
        if self._open:
            self._open = False
            self._receiver.close()

    def restart(self) -> None:
        """Everything that was taken is stored: a new journal, a new receiver. Raises OSError."""
        self._now = self._begun = self._clock()
        self.journal.restart(self._now)
        self._receiver = self._new()
        self._open = True

    @property
    def finished(self) -> bool:
        """Whether nothing is taken until `restart`."""
        return not self._open

    @property
    def age_seconds(self) -> float:
        """Since the journal was begun."""
        return (self._clock() - self._begun) / 1e9

    def _new(self) -> Receiver:
        return self._make(self._sink, lambda: self._now)

    def _read(self, entry: Entry, body: bytes) -> Answer:
        self._receiver.tick()  # before each body, as then it comes at the same place when the journal is read again
        take = self._receiver.traces if entry.signal == "traces" else self._receiver.metrics
        reply = take(body, entry.json)
        return Answer(reply.status, reply.body, reply.retry_after, JSON if entry.json else PROTOBUF)

    def _replay(self) -> None:
        """What the journal holds, as it came then, and windows of all of it."""
        for entry in self.journal.entries() if self.journal.begun_unix_ns is not None else ():
            self._now = entry.unix_ns
            try:
                self._read(entry, inflated(entry.body, entry.encoding, self._limit))
            except Exception as error:  # noqa: BLE001 - what failed then fails again, and must not keep us from starting
                self._note(f"a body in {self.journal.path} cannot be read: {type(error).__name__}")
        self._receiver.close()

    def _sink(self, windows: Sequence[Window]) -> None:
        for window in windows:
            try:
                check(window, self._now)
            except DataError as error:
                self._note(f"a window made of OTLP is left out: {error}")
            else:
                self.made.append(window)
