"""Which line of a function takes its time, by samples of a profiler."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from burnish.finding import Interval
from burnish.profile import FunctionStats, LineTime
from burnish_tools.detectors._measure import ENOUGH, Z


def hottest_line(stats: FunctionStats, lines: Iterable[LineTime]) -> tuple[str, ...]:
    """A sentence, or none where fewer than 30 samples fell into the function.

    The function is found by its file and its lines: profiles name functions differently.
    """
    samples: Counter[int] = Counter()
    for each in lines:
        if stats.file and stats.line <= each.line <= stats.end_line and _same_file(each.file, stats.file):
            samples[each.line] += each.samples
    total = samples.total()
    if total < ENOUGH:
        return ()
    line, most = min(samples.items(), key=lambda item: (-item[1], item[0]))
    share = proportion(most, total)
    seen = f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
    return (f"{seen} of its {total:,} samples in profiles are in line {line}.",)


def proportion(some: int, all_of_them: int) -> Interval:
    """The share with its 95 % interval by Wilson's score (1927), which holds near 0 and 1 too.

    Samples of one profile are not quite independent (one long call gives many in a row): the interval is the least.
    """
    n, p = all_of_them, some / all_of_them
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return Interval(value=p, low=max(0.0, middle - reach), high=min(1.0, middle + reach), n=n)


def _same_file(path: str, file: str) -> bool:
    """A profile names files as the process does, the dataset relative to the application root."""
    return path == file or path.endswith("/" + file)
