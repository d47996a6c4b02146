"""What observing costs, and what it cost since the last decision of the governor."""

from __future__ import annotations

from collections import Counter


class Costs:
    """CPU time in ns, as measured in this process: of a recorded call, of one that is sampled, of a count, of an
    exchange of code, and of a resumption of a generator or coroutine.

    ``rest_per_exchange`` (ns) bounds the exchanges a second: CPython numbers the versions of functions with 32 bits and
    specialises no call once they are used up; 500 exchanges a second use them up in 99 days.
    """

    __slots__ = ("call", "counted", "exchange", "rest_per_exchange", "resumption", "sampled")

    def __init__(
        self,
        call: float = 0.0,
        sampled: float = 0.0,
        counted: float = 0.0,
        exchange: float = 250.0,
        resumption: float = 0.0,
        rest_per_exchange: int = 2_000_000,
    ) -> None:
        self.call, self.sampled, self.counted = call, sampled, counted
        self.exchange, self.resumption, self.rest_per_exchange = exchange, resumption, rest_per_exchange

    @property
    def cheap(self) -> bool:
        """Whether calls are recorded by the native core: then rarely called functions stay exact at any budget."""
        return self.call < 600.0


class Meter:
    """Calls and wall time since the last decision, of the functions whose every call is recorded."""

    def __init__(self) -> None:
        self.calls: Counter[int] = Counter()
        self.wall: Counter[int] = Counter()

    def restart(self) -> None:
        self.calls.clear()
        self.wall.clear()
