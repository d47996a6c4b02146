"""What counting a call costs inside of the program that runs, from what the program's own slices tell.

A tight loop of calls (``mechanisms/calibration.py``) finds half of that cost: in a real program the caches and the
branch predictor are used for other things. Where counting makes a slice much slower, the rates found in it would be
too low.

Each slice counts a random subset of functions. The more calls are counted in it, the fewer of a given function there
are in a ns: ``y / x = rate * (1 - cost * u)`` with ``u`` the calls counted in a ns. What a function itself is called
more often in a slice is part of ``u``, so that the slope against ``u`` would be biased; the *expected* ``u`` of the
other functions depends on nothing but the draw, and is used as the instrument. (Angrist, Pischke, *Mostly Harmless
Econometrics*, 2009, chapter 4.)
"""

from __future__ import annotations

from collections import deque

#: of the cost in a real program over that in a tight loop: 1.9 in richards and in raytrace on CPython 3.12
PRIOR_FACTOR = 1.9
_SLICES = 400
#: how much the prior weighs: as an estimate with a standard error of this share of it
_PRIOR_ERROR = 0.3
_LEAST_FACTOR, _MOST_FACTOR = 0.8, 4.0


class CountingCost:
    """``ns`` is the cost of counting a call. ``calibrated`` is that in a tight loop, in ns."""

    def __init__(self) -> None:
        self.calibrated = 0.0
        self._slices: deque[tuple[float, dict[int, int]]] = deque(maxlen=_SLICES)
        self._factor = PRIOR_FACTOR

    @property
    def ns(self) -> float:
        """What counting a call costs, in ns."""
        return self.calibrated * self._factor

    def add(self, x: float, counts: dict[int, int]) -> None:
        """Take in a slice: its CPU time in ns, and the calls of each function that was counted in it."""
        self._slices.append((x, counts))

    def restart(self) -> None:
        """Forget the slices; what was found out of the cost stays."""
        self._slices.clear()

    def review(self) -> None:
        """Estimate the cost anew. Takes about a millisecond."""
        if not self.calibrated:
            return
        found = _estimate(self._slices)
        prior, weight = self.calibrated * PRIOR_FACTOR, 1 / (self.calibrated * PRIOR_FACTOR * _PRIOR_ERROR) ** 2
        if found is not None:
            cost, error = found
            both = (prior * weight + cost / error**2) / (weight + 1 / error**2)
            self._factor = min(max(both / self.calibrated, _LEAST_FACTOR), _MOST_FACTOR)


def _estimate(slices: deque[tuple[float, dict[int, int]]]) -> tuple[float, float] | None:
    """The cost in ns and its standard error; None where the slices do not tell."""
    rates = _rates(slices)
    per_function: dict[int, list[tuple[float, float, float]]] = {}
    for x, counts in slices:
        if x <= 0:
            continue
        load, expected = sum(counts.values()) / x, sum(rates[function] for function in counts)
        for function, count in counts.items():
            per_function.setdefault(function, []).append((count / x, load, expected - rates[function]))
    top = bottom = 0.0
    residuals: list[tuple[float, float]] = []
    for points in per_function.values():
        n = len(points)
        y, u, z = (sum(column) / n for column in zip(*points))
        if n < 8 or y <= 0:
            continue
        for rate, load, instrument in points:
            top += (rate / y - 1) * (instrument - z)
            bottom += (load - u) * (instrument - z)
            residuals.append((rate / y - 1, instrument - z))
    if bottom <= 0 or len(residuals) < 32:
        return None
    mean_load = sum(sum(counts.values()) for _, counts in slices) / max(sum(x for x, _ in slices), 1.0)
    slope = -top / bottom
    error = sum((r * z) ** 2 for r, z in residuals) ** 0.5 / bottom
    return slope / (1 + max(slope, 0.0) * mean_load), max(error, 1e-9)


def _rates(slices: deque[tuple[float, dict[int, int]]]) -> dict[int, float]:
    times: dict[int, float] = {}
    calls: dict[int, int] = {}
    for x, counts in slices:
        for function, count in counts.items():
            times[function] = times.get(function, 0.0) + x
            calls[function] = calls.get(function, 0) + count
    return {function: calls[function] / time if time > 0 else 0.0 for function, time in times.items()}
