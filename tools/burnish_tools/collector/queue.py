"""Bodies on their way to the writer: bounded in bytes, handed over in groups, each claimed or given up exactly once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from burnish_tools.collector.answers import Answer

Kind = Literal["windows", "traces", "metrics", "deployment"]


class Budget:
    """Bytes of bodies that are being read, wait, or are at work; for all threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes reserved now."""
        return self._used

    def reserve(self, size: int) -> bool:
        """Takes room for some bytes; False where there is none."""
        with self._lock:
            if self._used + size > self.limit:
                return False
            self._used += size
            return True

    def free(self, size: int) -> None:
        """Gives room back."""
        with self._lock:
            self._used -= size


@dataclass
class Task:
    """One request's body, and where its answer goes (`finish`, called in the writer's thread, once)."""

    kind: Kind
    body: bytes
    encoding: str
    json: bool
    finish: Callable[[Answer], None]
    _claimed: bool | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self) -> bool:
        """The writer takes it on; False where nobody waits for it any more."""
        return self._settle(True)

    def give_up(self) -> bool:
        """The request does not wait any longer; False where the writer is at work on it."""
        mine = self._settle(False)
        if mine:
            self.body = b""  # it stays in the queue until its turn comes
        return mine

    def _settle(self, claimed: bool) -> bool:
        with self._lock:
            if self._claimed is None:
                self._claimed = claimed
            return self._claimed is claimed


class Queue:
    """First in, first out. `close` lets what is in it be taken and nothing more in."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def closed(self) -> bool:
        """Whether nothing more comes in."""
        return self._closed

    def put(self, task: Task) -> bool:
        """False where the queue is closed."""
        with self._changed:
            if not self._closed:
                self._tasks.append(task)
                self._changed.notify()
            return not self._closed

    def take(self, count: int, size: int, seconds: float) -> list[Task]:
        """At most `count` tasks of `size` bytes in all (or one), claimed; waits so long for the first. Empty where none
        came."""
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._closed, seconds)
            taken: list[Task] = []
            while self._tasks and len(taken) < count and (not taken or size >= len(self._tasks[0].body)):
                task = self._tasks.popleft()
                if task.claim():
                    taken.append(task)
                    size -= len(task.body)
            return taken

    def close(self) -> None:
        """Nothing more comes in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
