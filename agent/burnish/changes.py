"""Did it change? Steps and trends in a few dozen values, in plain Python, deterministic.

- Student's t: p by the incomplete beta function (Abramowitz & Stegun 26.7.1), its continued fraction by Lentz's method
  (Press et al., Numerical Recipes, 6.4).
- A step at a known place: t test with one variance for both sides, because the later side may have few values.
- A step at an unknown place: split where the energy statistic of E-divisive is greatest (Matteson & James 2014), tested
  by Welch's t instead of permutations, as Hunter does (Fleming et al. 2023; today Apache Otava), and corrected for the
  number of places looked at.
- A trend: Theil–Sen slope (Sen 1968) with the seasonal Mann–Kendall test (Hirsch, Slack & Smith 1982), which compares
  like with like: a Monday with other Mondays.

Neighbouring values have something in common. Each test counts n values as n (1 − ρ) / (1 + ρ), ρ being the
autocorrelation of what the model leaves over, at lag 1, where it is positive (Bayley & Hammersley 1946).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import cache
from itertools import combinations, pairwise
from statistics import NormalDist, fmean, median
from typing import NamedTuple

from burnish.finding import Interval

MOST_RHO = 0.9
"""With more than this, few values hold no news at all; the estimate is not trusted beyond it."""
ENOUGH = 20
"""Values from which the earlier side alone says how alike neighbours are."""
_NORMAL = NormalDist()


class Difference(NamedTuple):
    """Mean after − mean before, with its 95 % interval and two-sided p."""

    value: float
    low: float
    high: float
    p: float


class Split(NamedTuple):
    """The values from `place` on differ; `p` is corrected for the number of places looked at."""

    place: int
    difference: Difference


class Trend(NamedTuple):
    """Change per unit of x, with its 95 % interval and two-sided p."""

    slope: float
    low: float
    high: float
    p: float


class Point(NamedTuple):
    """A value at a place; only values of one season are compared."""

    x: float
    y: float
    season: Hashable = 0


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Two-sample t test with pooled variance. Both in order of time. Without two values in all beyond the means the
    interval is infinite and p 1; where nothing varies, any difference is certain."""
    value = fmean(after) - fmean(before)
    left = [y - fmean(side) for side in (before, after) for y in side]
    freedom = len(left) - 2
    if freedom < 1:
        return Difference(value, -math.inf, math.inf, 1.0)
    usual = (before,) if len(before) >= ENOUGH else (before, after)  # a spike after the change must not hide itself
    effective = _inflation([[y - fmean(side) for y in side] for side in usual])
    variance = sum(r * r for r in left) / freedom * effective
    error = math.sqrt(variance * (1 / len(before) + 1 / len(after)))
    return _tested(value, error, freedom)


def average(values: Sequence[float]) -> Interval:
    """The mean of values in order of time, with its 95 % interval; infinite for a single one."""
    value, n = fmean(values), len(values)
    if n < 2:
        return Interval(value=value, low=-math.inf, high=math.inf, n=n)
    left = [y - value for y in values]
    error = math.sqrt(sum(r * r for r in left) / (n - 1) / n * _inflation([left]))
    reach = student_quantile(n - 1) * error
    return Interval(value=value, low=value - reach, high=value + reach, n=n)


def split(values: Sequence[float], least: int) -> Split | None:
    """The likeliest step up or down, with at least `least` values on each side; None where there are too few."""
    places = range(least, len(values) - least + 1)
    if least < 2 or not places:
        return None
    best = max(places, key=lambda k: (_energy(values[:k], values[k:]), -k))
    found = _welch(values[:best], values[best:])
    return Split(best, found._replace(p=min(1.0, found.p * len(places))))


def trend(points: Sequence[Point]) -> Trend:
    """Slope and test over the seasons' pairs of values. Fewer than two pairs: no slope, p 1."""
    seasons: dict[Hashable, list[Point]] = {}
    for point in points:
        seasons.setdefault(point.season, []).append(point)
    pairs = [pair for season in seasons.values() for pair in combinations(sorted(season), 2) if pair[0].x < pair[1].x]
    if len(pairs) < 2:
        return Trend(0.0, -math.inf, math.inf, 1.0)
    slopes = sorted((b.y - a.y) / (b.x - a.x) for a, b in pairs)
    slope = median(slopes)
    signs = sum((s > 0) - (s < 0) for s in slopes)
    variance = sum(_kendall_variance([p.y for p in season]) for season in seasons.values())
    flat = [point._replace(y=point.y - slope * point.x) for point in points]
    variance *= _inflation([without_season(flat)])
    reach = 1.96 * math.sqrt(variance)
    low = slopes[max(0, math.floor((len(slopes) - reach) / 2))]
    high = slopes[min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))]
    z = (abs(signs) - 1) / math.sqrt(variance) if variance > 0 and signs else 0.0
    return Trend(slope, low, high, 2 * _NORMAL.cdf(-max(0.0, z)))


def residual(values: Sequence[float], fitted: Sequence[float]) -> float:
    """Sum of squares that a model leaves over, around its own mean."""
    left = [y - f for y, f in zip(values, fitted, strict=True)]
    middle = fmean(left)
    return sum((r - middle) ** 2 for r in left)


def without_season(points: Sequence[Point]) -> list[float]:
    """The values less the mean of their season."""
    seasons: dict[Hashable, list[float]] = {}
    for point in points:
        seasons.setdefault(point.season, []).append(point.y)
    return [point.y - fmean(seasons[point.season]) for point in points]


def student_p(t: float, freedom: float) -> float:
    """Two-sided p of Student's t."""
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@cache
def student_quantile(freedom: float, p: float = 0.05) -> float:
    """t beyond which a share p lies, both sides together."""
    low, high = 0.0, 1e3
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, freedom) > p else (low, middle)
    return high


def _tested(value: float, error: float, freedom: float) -> Difference:
    if error <= 1e-9 * abs(value):
        return Difference(value, value, value, 0.0 if value else 1.0)
    reach = student_quantile(round(freedom, 1)) * error
    return Difference(value, value - reach, value + reach, student_p(value / error, freedom))


def _welch(before: Sequence[float], after: Sequence[float]) -> Difference:
    inflation = _inflation([[y - fmean(side) for y in side] for side in (before, after)])
    one, two = (inflation * _variance(side) / len(side) for side in (before, after))
    below = one**2 / (len(before) - 1) + two**2 / (len(after) - 1)
    freedom = (one + two) ** 2 / below if below > 0 else 1.0
    return _tested(fmean(after) - fmean(before), math.sqrt(one + two), freedom)


def _variance(values: Sequence[float]) -> float:
    middle = fmean(values)
    return sum((y - middle) ** 2 for y in values) / (len(values) - 1)


def _energy(one: Sequence[float], two: Sequence[float]) -> float:
    """Energy distance × n m / (n + m), equation 5 of Matteson & James with α = 1."""
    n, m = len(one), len(two)
    between = 2 / (n * m) * sum(abs(x - y) for x in one for y in two)
    within = sum(2 / (len(s) * (len(s) - 1)) * sum(abs(x - y) for x, y in combinations(s, 2)) for s in (one, two))
    return (between - within) * n * m / (n + m)


def _inflation(runs: Sequence[Sequence[float]]) -> float:
    """By how much the variance of a mean grows because neighbours are alike; `runs` are residuals in order of time."""
    around = sum(r * r for run in runs for r in run)
    together = sum(a * b for run in runs for a, b in pairwise(run))
    rho = min(MOST_RHO, max(0.0, together / around)) if around > 0 else 0.0
    return (1 + rho) / (1 - rho)


def _kendall_variance(values: Sequence[float]) -> float:
    """Of the sum of signs, ties left out (Kendall 1975)."""
    n = len(values)
    ties = [values.count(y) for y in set(values)]
    return (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised, for 0 ≤ x ≤ 1."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 300):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value
