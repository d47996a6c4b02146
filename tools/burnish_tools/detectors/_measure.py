"""Numbers with their uncertainty: rates and times from windows, means from histograms, slopes from sums."""

from __future__ import annotations

import math

from burnish.finding import EntryShare, Evidence, Finding, Interval
from burnish.histogram import Histogram
from burnish.measured import measured
from burnish.profile import Driver, FunctionStats, Profile
from burnish.protocols import Runtime

Z = 1.96
"""97.5 % of the normal distribution: two-sided 95 %."""
ENOUGH = 30
"""Samples from which a mean is worth looking at: the usual rule of thumb for its distribution to be near normal."""
CLIENT_MOST_NS = 0.5e6
"""Django takes 0.2 to 1 ms to build a query and its objects on an idle core."""
MS = 1e6
"""Nanoseconds in a millisecond."""
SPAN = "span"
"""Kind of a function that stands for a span of OpenTelemetry of which no code is known."""


def mean_low(histogram: Histogram) -> float:
    """Lower end of the 95 % interval of the mean, from the buckets' middles; 0 with less than two values."""
    return max(0.0, histogram.mean - Z * _standard_error(histogram)) if histogram.count >= 2 else 0.0


def mean_high(histogram: Histogram) -> float:
    """Upper end of the 95 % interval of the mean."""
    return histogram.mean + Z * _standard_error(histogram)


def variation(histogram: Histogram) -> float:
    """Coefficient of variation (standard deviation ÷ mean) from the buckets' middles; 0 where all values are equal."""
    if histogram.count < 2 or not histogram.mean or histogram.min == histogram.max:
        return 0.0
    return _standard_error(histogram) * math.sqrt(histogram.count) / histogram.mean


def _standard_error(histogram: Histogram) -> float:
    if histogram.count < 2:
        return 0.0
    step = 2.0**-histogram.scale
    middles = (2.0 ** ((histogram.offset + i + 0.5) * step) for i in range(len(histogram.counts)))
    mean = histogram.mean
    squares = sum(n * (x - mean) ** 2 for n, x in zip(histogram.counts, middles, strict=True))
    return math.sqrt((squares + histogram.zero * mean**2) / (histogram.count - 1) / histogram.count)


def above_one(histogram: Histogram) -> int:
    """How many of the values (whole numbers) are 2 or more; exact, as 1 ends a bucket at every scale."""
    return sum(n for i, n in enumerate(histogram.counts) if histogram.offset + i >= 0)


def queries_by_function(profile: Profile) -> dict[str, tuple[float, int]]:
    """Time in the database (ns) and executions, by the function that issues them."""
    found: dict[str, tuple[float, int]] = {}
    for query in profile.queries:
        time, n = found.get(query.site.function, (0.0, 0))
        found[query.site.function] = time + query.wall.sum, n + query.executions
    return found


def around_queries(profile: Profile) -> list[float]:
    """What functions spend on a query outside the database (driver, ORM, and all else that they do themselves): ns per
    execution, function by function, the least first. Functions with fewer than 30 executions are left out."""
    own = {stats.function: stats.own.sum for stats in profile.functions}
    issuing = queries_by_function(profile).items()
    return sorted(max(0.0, own[f] - time) / n for f, (time, n) in issuing if f in own and n >= ENOUGH)


def client_ns(profile: Profile) -> float:
    """Lower bound of what a query costs its issuer outside the database, in ns.

    The least that any function spends around one, as each of them also does something else; at most half a millisecond,
    and 0 where fewer than three functions issue queries, for the least of one or two may be anything.
    """
    around = around_queries(profile)
    return min(around[0], CLIENT_MOST_NS) if len(around) >= 3 else 0.0


def slope(driver: Driver) -> Interval | None:
    """Executions per row by least squares with its 95 % interval; None where the rows hardly vary (below 5 %)."""
    n = driver.n
    if n < 3 or driver.sum_x <= 0:
        return None
    xx = driver.sum_xx - driver.sum_x**2 / n
    if xx / n < (0.05 * driver.sum_x / n) ** 2:
        return None
    xy = driver.sum_xy - driver.sum_x * driver.sum_y / n
    yy = driver.sum_yy - driver.sum_y**2 / n
    value = xy / xx
    error = math.sqrt(max(0.0, yy - value * xy) / (n - 2) / xx)
    reach = _student(n - 2) * error
    return Interval(value=value, low=value - reach, high=value + reach, n=n)


def _student(freedom: int) -> float:
    """97.5 % quantile of Student's t by its expansion around the normal (Abramowitz & Stegun 26.7.5)."""
    if freedom < 3:
        return 12.706 if freedom <= 1 else 4.303
    z = Z
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def finding(
    kind: str,
    stats: FunctionStats,
    profile: Profile,
    runtime: Runtime,
    evidence: Evidence,
    *,
    removable_ns: float,
    removable_queries: float = 0.0,
) -> Finding:
    """A finding about a function, with its rate, time and entries."""
    seen = measured(stats, profile, runtime)
    shares = sorted(stats.entries.items(), key=lambda item: (-item[1], item[0]))
    return Finding(
        kind=kind,
        function=stats.function,
        file=stats.file,
        line=stats.line,
        body=stats.body,
        release=profile.release,
        entries=tuple(EntryShare(entry=name, calls_per_minute=n / profile.minutes) for name, n in shares),
        calls_per_minute=seen.calls_per_minute,
        wall_ns=seen.wall_ns,
        removable_ns=removable_ns,
        removable_queries=removable_queries,
        evidence=evidence,
    )
