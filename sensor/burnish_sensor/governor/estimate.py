"""The ratio estimate: a total from clusters in which both the quantity and its measure were seen.

Cochran, *Sampling Techniques*, 3rd edition, 1977, sections 6.3 and 6.4. Here a cluster is a slice of time, the measure
``x`` the application's CPU time in it (or its recorded calls), the quantity ``y`` the calls counted in it (or their
wall time). The standard error comes from the residuals ``y - R x`` of the slices, so that it holds for calls that come
in bursts.
"""

from __future__ import annotations

import math

#: slices from which their spread can be told
_ENOUGH = 3


class RatioEstimate:
    """Sums over slices."""

    __slots__ = ("n", "x", "xx", "xy", "y", "yy")

    def __init__(self) -> None:
        self.n = 0
        self.x = self.y = self.xx = self.xy = self.yy = 0.0

    def add(self, x: float, y: float) -> None:
        """Take in a slice."""
        self.n += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y
        self.yy += y * y

    @property
    def rate(self) -> float:
        """y for each x."""
        return self.y / self.x if self.x > 0 else 0.0

    def relative_error(self, events: float) -> float:
        """The standard error of ``rate`` over ``rate``; 1 where nothing is known.

        At least that of ``events`` independent events, as few slices may agree by chance.
        """
        if self.y <= 0 or events <= 0:
            return 1.0
        least = 1 / math.sqrt(events)
        if self.n < _ENOUGH:
            return min(1.0, least * math.sqrt(_ENOUGH))
        rate = self.rate
        residual = max(self.yy - 2 * rate * self.xy + rate * rate * self.xx, 0.0)
        return max(math.sqrt(residual * self.n / (self.n - 1)) / self.y, least)
