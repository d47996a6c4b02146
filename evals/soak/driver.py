"""Asks a service at a bounded rate and counts what it was answered."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Sequence


class Driver:
    """``users`` threads that ask the paths in turn, each at most ``rate`` times a second, over new connections."""

    def __init__(self, port: int, paths: Sequence[str], users: int, rate: float) -> None:
        self.port, self._paths, self._pause = port, paths, 1 / rate
        #: answers by path and status
        self.answers: Counter[tuple[str, int]] = Counter()
        #: requests without an answer: whether they were counted cannot be known
        self.unanswered: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(users)]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more, and wait for the answers that are under way."""
        self._halt.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, number: int) -> None:
        at = number
        while not self._halt.is_set():
            begun = time.monotonic()
            path = self._paths[at % len(self._paths)]
            at += 1
            try:
                status = self._ask(path)
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.unanswered[f"{path} {type(error).__name__}"] += 1
            else:
                with self._lock:
                    self.answers[path, status] += 1
            self._halt.wait(max(0.0, self._pause - (time.monotonic() - begun)))

    def _ask(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
