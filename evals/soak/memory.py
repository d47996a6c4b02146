"""Memory of a service's processes over time, and whether it grows."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: two-sided 95 % points of Student's t for 1, 2, … degrees of freedom; beyond it is taken as the last
_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10)
_BLOCKS = 20


def resident(session: int) -> dict[int, float]:
    """Resident memory in MB by process id, of all processes of a session."""
    found: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * _PAGE / 1e6
        except (OSError, IndexError, ValueError):  # ended while it was looked at
            continue
    return found


@dataclass(frozen=True)
class Growth:
    """MB an hour for each process: the slope, and its 95 % interval, over ``hours``; ``peak`` in MB."""

    slope: float
    low: float
    high: float
    peak: float
    hours: float

    def is_flat(self, mb_per_hour: float, mb: float) -> bool:
        """Whether the interval reaches down to a slope, or what was gained in all to an amount that says nothing."""
        return self.low <= max(mb_per_hour, mb / self.hours if self.hours else math.inf)

    def beyond(self, control: Growth) -> Growth:
        """What it grows more than the same without what is looked at; the two intervals are independent."""
        slope = self.slope - control.slope
        half = math.hypot(self.high - self.slope, control.high - control.slope)
        return Growth(slope, slope - half, slope + half, self.peak, self.hours)


def growth(samples: Sequence[tuple[float, float]]) -> Growth:
    """The least-squares slope over (seconds, MB), from the means of up to 20 blocks.

    Neighbouring samples are alike, so that an interval over them all would be too narrow; block means are nearly
    independent (Law and Kelton, *Simulation Modeling and Analysis*, batch means).
    """
    peak = max((value for _, value in samples), default=0.0)
    hours = (samples[-1][0] - samples[0][0]) / 3600 if samples else 0.0
    size = max(1, math.ceil(len(samples) / _BLOCKS))
    blocks = [samples[at : at + size] for at in range(0, len(samples), size)]
    x = [statistics.fmean(when for when, _ in block) / 3600 for block in blocks]
    y = [statistics.fmean(value for _, value in block) for block in blocks]
    if len(x) < 3:
        return Growth(0.0, -math.inf, math.inf, peak, hours)
    slope, intercept = statistics.linear_regression(x, y)
    residual = sum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True)) / (len(x) - 2)
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    half = _T[min(len(x) - 2, len(_T)) - 1] * math.sqrt(residual / spread)
    return Growth(slope, slope - half, slope + half, peak, hours)
