"""A fair sample of what passes by, and the limit on how much of it may be looked at.

Everything that is offered draws a random tag from [0, 1). Kept are those with the smallest tags: a simple random sample
without replacement, whatever came when (bottom-k sampling; Cohen and Kaplan, *Summarizing Data using Bottom-k
Sketches*, PODC 2007). Where there is no time to look at more, the threshold for tags is lowered, which also drops what
was kept above it: the sample becomes smaller, but stays fair (Ting, *Adaptive Threshold Sampling*, SIGMOD 2022). A
limit that simply refused the late ones would keep the start of every burst.
"""

from __future__ import annotations

from bisect import insort
from typing import Any, Callable

_SECOND = 1_000_000_000


class Reservoir:
    """At most ``size`` of what is offered. ``seen`` counts all of it, ``seen_sampled`` those that stand for more.

    ``threshold`` below 1 leaves out a known share from the start, where it is foreseen that much will be offered.
    """

    __slots__ = ("kept", "looked_at", "seen", "seen_sampled", "threshold")

    def __init__(self, threshold: float = 1.0) -> None:
        self.kept: list[tuple[float, Any]] = []
        self.threshold = threshold
        self.seen = self.seen_sampled = 0
        self.looked_at = False

    def wants(self, tag: float, size: int) -> bool:
        """Whether what drew this tag would be kept now."""
        return tag < self.threshold and (len(self.kept) < size or tag < self.kept[-1][0])

    def add(self, tag: float, thing: Any, size: int) -> None:
        """Keep what was admitted."""
        insort(self.kept, (tag, thing))
        if len(self.kept) > size:
            self.threshold = min(self.threshold, self.kept.pop()[0])

    def sample(self, size: int) -> list[Any]:
        """What was kept, or the ``size`` with the smallest tags of it."""
        return [thing for tag, thing in self.kept if tag < self.threshold][:size]


def foreseen(reservoirs: dict[int, Reservoir], most: float, size: int) -> dict[int, float]:
    """Thresholds to start the next reservoirs with, so that about ``most`` things are looked at in all of them.

    As many as last time are expected to be offered. Half as many again as can be kept are let through, so that at the
    end there are seldom fewer; without a threshold a reservoir looks at ``size * (1 + ln(seen / size))``.
    """
    each = min(size, most / max(len(reservoirs), 1))
    return {key: min(1.0, 1.5 * each / reservoir.seen) for key, reservoir in reservoirs.items() if reservoir.seen}


class Limit:
    """A token bucket: on average ``rate`` things a second, at most ``burst`` at once. ``clock`` returns ns.

    Beyond it the first of each reservoir is still looked at, until as many more as ``burst`` were.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], int]) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._tokens, self._filled = float(burst), clock()

    def admits(self, tag: float, reservoir: Reservoir) -> bool:
        """Whether to look at what drew this tag. Where the bucket is empty, that halves the reservoir's threshold."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._filled) * self.rate / _SECOND, self.burst)
        self._filled = now
        if self._tokens < 1 and (reservoir.looked_at or self._tokens < 1 - self.burst):
            reservoir.threshold /= 2
            if tag >= reservoir.threshold:
                return False
        self._tokens -= 1
        reservoir.looked_at = True
        return True
