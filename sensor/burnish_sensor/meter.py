"""What observing costs, and what it cost since the last decision of the governor."""

from __future__ import annotations

from collections import Counter


class Costs:
    """CPU time in ns, as measured in this process: of a recorded call, of one that is sampled, of a count, of an
    exchange of code, and of a resumption of a generator or coroutine."""

    __slots__ = ("call", "count", "exchange", "resumption", "sampled")

    def __init__(
        self,
        call: float = 0.0,
        sampled: float = 0.0,
        count: float = 0.0,
        exchange: float = 250.0,
        resumption: float = 0.0,
    ) -> None:
        self.call, self.sampled, self.count = call, sampled, count
        self.exchange, self.resumption = exchange, resumption


class Meter:
    """Calls and wall time since the last decision, of the functions whose every call is recorded."""

    def __init__(self) -> None:
        self.calls: Counter[int] = Counter()
        self.wall: Counter[int] = Counter()

    def restart(self) -> None:
        self.calls.clear()
        self.wall.clear()
