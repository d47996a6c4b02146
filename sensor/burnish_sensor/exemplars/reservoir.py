"""A fair sample of what passes by, and the limit on how much of it may be looked at.

Everything that is offered draws a random tag from [0, 1). Kept are those with the smallest tags: a simple random sample
without replacement, whatever came when (bottom-k sampling; Cohen and Kaplan, *Summarizing Data using Bottom-k
Sketches*, PODC 2007). Where there is no time to look at more, fewer are kept: the sample becomes smaller, but stays
one of all that was offered. A limit that simply refused the late ones would keep the start of every burst.
"""

from __future__ import annotations

from bisect import insort
from typing import Any, Callable

_SECOND = 1_000_000_000


class Reservoir:
    """At most ``size`` of what is offered. ``seen`` counts all of it, ``seen_sampled`` those that stand for more.

    ``threshold`` below 1 leaves out a known share from the start, where it is foreseen that much will be offered.
    """

    __slots__ = ("_size", "_threshold", "kept", "seen", "seen_sampled")

    def __init__(self, size: int, threshold: float = 1.0) -> None:
        self.kept: list[tuple[float, Any]] = []
        self._size, self._threshold = size, threshold
        self.seen = self.seen_sampled = 0

    @property
    def bar(self) -> float:
        """What draws a tag below this would be kept now."""
        kept, size = self.kept, self._size
        return self._threshold if len(kept) < size else min(self._threshold, kept[size - 1][0])

    def wants(self, tag: float) -> bool:
        """Whether what drew this tag would be kept now."""
        return tag < self.bar

    def passed(self, count: int, sampled: int) -> None:
        """So many more were offered that would not have been kept."""
        self.seen += count
        self.seen_sampled += sampled

    def add(self, tag: float, thing: Any) -> None:
        """Keep what is wanted."""
        insort(self.kept, (tag, thing))
        del self.kept[self._size :]

    def shrink(self) -> None:
        """Keep one less than there are, but one."""
        self._size = max(1, min(self._size, len(self.kept)) - 1)
        del self.kept[self._size :]

    def give_up(self) -> None:
        """Keep nothing: one that should have been kept could not be looked at."""
        self._threshold = 0.0
        self.kept = []

    def sample(self, size: int) -> list[Any]:
        """What was kept, at most ``size`` of it."""
        return [thing for _, thing in self.kept[:size]]


def foreseen(reservoirs: dict[int, Reservoir], most: float, size: int) -> dict[int, float]:
    """Thresholds to start the next reservoirs with, so that about ``most`` things are looked at in all of them.

    As many as last time are expected to be offered. Half as many again as can be kept are let through, so that at the
    end there are seldom fewer; without a threshold a reservoir looks at ``size * (1 + ln(seen / size))``.
    """
    each = min(size, most / max(len(reservoirs), 1))
    return {key: min(1.0, 1.5 * each / reservoir.seen) for key, reservoir in reservoirs.items() if reservoir.seen}


class Limit:
    """A token bucket: on average ``rate`` things a second, at most ``burst`` at once. ``clock`` returns ns.

    Where it is empty, those that were looked at before make room, and the first of others are looked at on credit, up
    to as many again as ``burst``. When that is used up too, ``exhausted`` is set: what is kept is what came early.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], int]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._filled = float(burst), clock()
        self.exhausted = False

    def admits(self, tag: float, reservoir: Reservoir) -> bool:
        """Whether to look at what drew this tag and is wanted by a reservoir."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._filled) * self._rate / _SECOND, self._burst)
        self._filled = now
        if self._tokens < 1 and reservoir.kept:
            reservoir.shrink()
            if not reservoir.wants(tag):
                return False
        if self._tokens < 1 - self._burst:
            self.exhausted = True
            reservoir.give_up()
            return False
        self._tokens -= 1
        return True
