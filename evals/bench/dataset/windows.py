"""Windows of a made-up service: as many functions as asked, a long tail of traffic, distributions as services have."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from burnish.testing import windows as w

START = 1_760_000_400
"""A whole hour, in seconds since 1970."""
SECONDS = 10.0
_LOOKED_AT = 20
"""Functions of which a window has exemplars; the sensor looks at 20 calls a second at most."""


class Service:
    """Functions with their entry, cost and traffic; every random choice comes from `seed`."""

    def __init__(self, functions: int, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self.names = [f"shop.part{i % 97}.module{i % 31}:Class{i % 13}.method_{i}" for i in range(functions)]
        self._entries = [f"GET part{i}/<int:pk>/" for i in range(max(1, functions // 20))]
        self._cost = [self._rng.lognormvariate(12, 2) for _ in self.names]
        self._traffic = [1000 / (1 + i) ** 0.7 for i in range(functions)]

    def window(self, instance: str, sequence: int, active: int) -> str:
        """One line with `active` functions, the busier ones more often."""
        return self.window_of(self._active(active), instance, sequence, START)

    def window_of(self, seen: Sequence[int], instance: object, sequence: int, start: int) -> str:
        """One line with these functions."""
        rows = [self._call(i) for i in seen]
        sql = [i for i in seen if i % 4 == 0]
        looked = seen[:_LOOKED_AT]
        return w.window(
            calls=rows,
            queries=[self._query(i) for i in sql],
            per_call=[self._per_call(i) for i in sql],
            exemplars=[self._exemplar(i) for i in looked for _ in range(4)],
            conditions=[w.condition(self.names[i], 40) for i in looked],
            instance=str(instance),
            sequence=sequence,
            start=start,
            seconds=SECONDS,
        )

    def _active(self, active: int) -> list[int]:
        if active >= len(self.names):
            return list(range(len(self.names)))
        busy = set(range(active // 2))
        while len(busy) < active:
            busy.add(int(len(self.names) * self._rng.random() ** 2))
        return sorted(busy)

    def _entry(self, i: int) -> str:
        return self._entries[i % len(self._entries)]

    def _histogram(self, mean: float, n: int) -> dict[str, Any]:
        times = [round(mean * self._rng.lognormvariate(0, 0.5)) for _ in range(min(n, 200))]
        return w.histogram(times)

    def _call(self, i: int) -> dict[str, Any]:
        n = max(1, int(self._traffic[i] * self._rng.uniform(0.5, 1.5)))
        wall = self._histogram(self._cost[i], n)
        return {
            "function": self.names[i],
            "entry": self._entry(i),
            "calls": wall["count"],
            "errors": {"ValueError": 1} if i % 50 == 0 else {},
            "wall": wall,
            "own": self._histogram(self._cost[i] / 3, n),
            "callers": {self.names[i // 2]: wall["count"]} if i else {"": wall["count"]},
        }

    def _statement(self, i: int) -> str:
        return f"SELECT a.id, a.name, a.total FROM table_{i % 200} a WHERE a.other_{i % 7}_id = ? ORDER BY a.id LIMIT ?"

    def _query(self, i: int) -> dict[str, Any]:
        n = self._rng.randint(1, 50)
        ms = [self._rng.lognormvariate(-1, 0.5) for _ in range(n)]
        return w.query(
            self._statement(i), at=f"{self.names[i]}:{i % 400}", times=n, ms=ms, rows=n, entry=self._entry(i)
        )

    def _per_call(self, i: int) -> dict[str, Any]:
        each = [self._rng.randint(1, 20) for _ in range(self._rng.randint(1, 10))]
        where = f"{self.names[i]}:{i % 400}"
        return w.per_call(self.names[i], self._statement(i), at=where, executions=each, entry=self._entry(i))

    def _exemplar(self, i: int) -> dict[str, Any]:
        size = 2 ** self._rng.randint(0, 12)
        facts = {"arg.items.size": size, "arg.items.type": "list", "queries": size % 7, "first": False, "live": 1}
        return w.exemplar(self.names[i], wall_ms=self._cost[i] / 1e6 * self._rng.random(), facts=facts)


def lines(service: Service, windows: int, active: int, instances: int = 4) -> Iterator[bytes]:
    """Windows of several instances, in order of time."""
    for number in range(windows):
        instance, sequence = number % instances, number // instances
        yield service.window(f"instance-{instance}", sequence, active).encode()


def rows_in(line: bytes) -> int:
    """Function-windows: call rows of a line."""
    return len(json.loads(line)["calls"])
