"""What a load run measured: counts, statuses and latency percentiles, for each endpoint and overall."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

UNANSWERED = "no answer"


@dataclass(frozen=True)
class Sample:
    """One request: its latency in ms, its status (None: no answer), whether that was expected."""

    name: str
    latency_ms: float
    status: int | None
    ok: bool


@dataclass(frozen=True)
class Summary:
    """Latencies in ms over the answered requests, None when there was none."""

    count: int
    errors: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    mean_ms: float | None
    statuses: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def percentile(ordered: Sequence[float], q: float) -> float:
    """The nearest-rank percentile: the smallest value with at least the share `q` of the values at or below it.

    `ordered` must be sorted and not empty, 0 < q <= 1.
    """
    if not ordered:
        raise ValueError("no percentile of an empty sequence")
    if not 0 < q <= 1:
        raise ValueError(f"q must be above 0 and at most 1, not {q}")
    return ordered[math.ceil(q * len(ordered)) - 1]


def summarise(samples: Iterable[Sample]) -> Summary:
    """One summary over all samples."""
    listed = list(samples)
    ordered = sorted(s.latency_ms for s in listed if s.status is not None)
    statuses = Counter(UNANSWERED if s.status is None else str(s.status) for s in listed)
    p50, p90, p99 = (round(percentile(ordered, q), 2) if ordered else None for q in (0.50, 0.90, 0.99))
    mean = round(sum(ordered) / len(ordered), 2) if ordered else None
    errors = sum(not s.ok for s in listed)
    return Summary(len(listed), errors, p50, p90, p99, mean, dict(sorted(statuses.items())))


def by_name(samples: Iterable[Sample]) -> dict[str, Summary]:
    """A summary for each endpoint, in the order of the names."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.name].append(sample)
    return {name: summarise(groups[name]) for name in sorted(groups)}


def table(endpoints: dict[str, Summary], overall: Summary) -> str:
    """The summaries as aligned text, the most expensive endpoint (count x mean) first."""

    def cost(item: tuple[str, Summary]) -> tuple[float, str]:
        return -(item[1].mean_ms or 0.0) * item[1].count, item[0]

    width = max(len(name) for name in [*endpoints, "overall"])
    lines = [f"{'':{width}}  count  errors    p50 ms    p90 ms    p99 ms  statuses"]
    for name, row in [*sorted(endpoints.items(), key=cost), ("overall", overall)]:
        columns = ["-" if ms is None else f"{ms:.1f}" for ms in (row.p50_ms, row.p90_ms, row.p99_ms)]
        times = "".join(f"{text:>10}" for text in columns)
        statuses = " ".join(f"{status}:{n}" for status, n in row.statuses.items())
        lines.append(f"{name:{width}}  {row.count:5}  {row.errors:6}{times}  {statuses}")
    return "\n".join(lines)
