"""OTLP in the writer's thread: bodies to the receiver, the windows that it makes to the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from burnish.errors import Unavailable
from burnish_tools.collector.answers import JSON, PROTOBUF, Answer
from burnish_tools.collector.body import inflated
from burnish_tools.collector.depot import Depot, Later, made
from burnish_tools.collector.health import Health
from burnish_tools.collector.ports import MakeReceiver
from burnish_tools.collector.queue import Task
from burnish_tools.runtime.format import Window


class Signals:
    """The receiver, joined to the store. `clock` tells Unix ns; `limit` bounds a body when it is inflated."""

    def __init__(
        self, make: MakeReceiver, depot: Depot, health: Health, limit: int, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """Takes up what an earlier process left. Raises DataError where that cannot be read."""
        self._depot, self._health, self._limit = depot, health, limit
        self._receiver = make(self._sink, clock)

    def take(self, task: Task) -> Answer:
        """What the receiver answers; it has written down what it accepted. Raises Rejected."""
        body = inflated(task.body, task.encoding, self._limit)
        read = self._receiver.traces if task.kind == "traces" else self._receiver.metrics
        reply = read(body, task.json)
        if reply.status < 300:
            self._health.accepted(f"{task.kind} bodies", 1)
        else:
            self._health.refused(f"{task.kind} {reply.status}")
        return Answer(reply.status, reply.body, reply.retry_after, JSON if task.json else PROTOBUF)

    def tick(self) -> None:
        """About once a second."""
        self._receiver.tick()

    def close(self) -> None:
        """Makes windows of all that is open."""
        self._receiver.close()

    def _sink(self, windows: Sequence[Window]) -> None:
        """Raises Unavailable where the store cannot be written; the receiver keeps the windows then."""
        batch = made(windows)
        try:
            self._depot.put([batch])
        except Later as later:
            self._health.failed(str(later))
            raise Unavailable(str(later)) from later
        self._health.accepted("windows of OTLP", batch.new)
        for refusal in batch.refused:
            self._health.refused(refusal.reason)
