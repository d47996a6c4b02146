"""Dropping what is past its time: whole partitions, so that nothing is rewritten.

What is dropped depends on the time that the caller gives, not on the server's clock (as a TTL would): a recorded
dataset keeps what it has. The minute, hour and day of everything are written when it comes, so that dropping the finer
one is all there is to do. `horizon` says up to when windows, their points and minutes were dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.tables import DAY_NS, HOUR_NS, PARTITIONS, POINTS, TABLES
from burnish_tools.runtime.settings import KeepSettings

BATCHES_NS = 2 * DAY_NS
"""For how long batches are remembered: those that were left in the midst are ended long before."""


@dataclass(frozen=True)
class _Aged:
    """Partitions of a table, one level of it, and how long they are kept."""

    table: str
    level: int | None
    length_ns: int
    keep_ns: float
    horizon: str = ""


def _aged(keep: KeepSettings) -> Iterator[_Aged]:
    kept = keep.detail_hours * HOUR_NS, keep.hours_days * DAY_NS, keep.days_days * DAY_NS
    for table in TABLES:
        for level, (length, keep_ns) in enumerate(zip(PARTITIONS, kept, strict=True)):
            yield _Aged(table.name, level, length, keep_ns, "minutes" if level == 0 else "")
    yield _Aged(POINTS.name, 0, DAY_NS, keep.windows_hours * HOUR_NS, "points")
    yield _Aged(POINTS.name, 1, DAY_NS, keep.minutes_days * DAY_NS)
    yield _Aged("windows", None, DAY_NS, keep.minutes_days * DAY_NS, "windows")
    yield _Aged("samples", None, DAY_NS, keep.samples_days * DAY_NS)
    yield _Aged("batches", None, DAY_NS, BATCHES_NS)


def tidy(connection: Connection, now: float, keep: KeepSettings) -> None:
    """Drops what is past its time (`now` in seconds since 1970)."""
    now_ns = int(now * 1e9)
    there: dict[str, list[str]] = {}
    for table, partition in connection.read(_PARTITIONS):
        there.setdefault(table, []).append(partition)
    for aged in _aged(keep):
        old = [text for text in there.get(aged.table, ()) if _end(text, aged) <= now_ns - aged.keep_ns]
        if not old:
            continue
        if aged.horizon:
            end = max(int(_end(text, aged)) for text in old)
            connection.insert("horizon", {"name": "String", "unix_ns": "Int64"}, [(aged.horizon, end)])
        for text in old:
            connection.run(f"ALTER TABLE {aged.table} DROP PARTITION {text}")


def _end(partition: str, aged: _Aged) -> float:
    """When the last row of a partition of this level ends; never for one of another level."""
    *level, number = (int(part) for part in partition.strip("()").split(","))
    return (number + 1) * aged.length_ns if level in ([], [aged.level]) else float("inf")


_PARTITIONS = "SELECT DISTINCT table, partition FROM system.parts WHERE active AND database = currentDatabase()"
