"""The tables of rows that add up, described once: their SQL, their writing and their reading all go by `TABLES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from burnish_tools.runtime.clickhouse.buckets import COLUMNS

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

NAME = "LowCardinality(String)"
COUNT = "UInt64"
AMOUNT = "Float64"
COUNTER = "Map(String, UInt64)"

OWNER: Mapping[str, str] = {"service": NAME, "environment": NAME, "release": NAME}
MINUTE, HOUR, DAY = 0, 1, 2
LENGTHS = (MINUTE_NS, HOUR_NS, DAY_NS)
"""Of the stretch of time that one row is about, by its level. A window belongs to that in which it began."""
PARTITIONS = (6 * HOUR_NS, 10 * DAY_NS, 60 * DAY_NS)
"""How much time a partition holds, by level: what is past its time is dropped by whole ones, so that so much more is
kept at most."""


@dataclass(frozen=True)
class Table:
    """Rows with a key, and what is added up when two have the same one."""

    name: str
    keys: Mapping[str, str]
    numbers: Mapping[str, str]
    counters: tuple[str, ...] = ()
    histograms: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    """Keys that tell rows of level 0 apart only."""
    sums: Mapping[str, tuple[str, str]] = field(init=False)
    """All columns that are merged, with the function that does it and their type."""

    def __post_init__(self) -> None:
        parts = {f"{name}_{part}": how for name in self.histograms for part, how in COLUMNS.items()}
        numbers = {name: ("sum", kind) for name, kind in self.numbers.items()}
        counters = dict.fromkeys(self.counters, ("sumMap", COUNTER))
        object.__setattr__(self, "sums", {**numbers, **counters, **parts})

    @property
    def incoming(self) -> Mapping[str, str]:
        """Columns of a row as it is written, with their types."""
        return {**OWNER, "at_ns": "Int64", **self.keys, **{name: kind for name, (_, kind) in self.sums.items()}}

    def merged(self, *columns: str) -> str:
        """SQL that merges some of the columns, all by default."""
        return ", ".join(f"{self.sums[name][0]}({name})" for name in columns or self.sums)


_SITE = {"function": NAME, "file": NAME, "line": "Int32"}
ENTRY_ROWS = Table(
    "entry_rows", {"entry": NAME, "kind": NAME}, {"calls": COUNT}, ("errors", "status"), ("wall", "queries")
)
CALL_ROWS = Table(
    "call_rows",
    {"function": NAME, "entry": NAME},
    {"calls": COUNT, "queries": AMOUNT, "calls_variance": AMOUNT, "wall_variance": AMOUNT},
    ("errors", "callers"),
    ("wall", "own"),
)
QUERY_ROWS = Table(
    "query_rows",
    {"statement": "UInt64", **_SITE, "entry": NAME},
    {"executions": COUNT, "rows": COUNT, "rows_unknown": COUNT},
    ("errors",),
    ("wall",),
)
FAN_OUT_ROWS = Table(
    "fan_out_rows",
    {"caller": NAME, "statement": "UInt64", **_SITE, "entry": NAME},
    {"calls": COUNT, "identical": COUNT, "time_ns": AMOUNT},
    (),
    ("executions",),
)
DRIVER_ROWS = Table(
    "driver_rows",
    {
        "caller": NAME,
        "statement": "UInt64",
        **_SITE,
        "driver": "UInt64",
        "driver_function": NAME,
        "driver_file": NAME,
        "driver_line": "Int32",
    },
    {"n": COUNT, "sum_x": AMOUNT, "sum_y": AMOUNT, "sum_xx": AMOUNT, "sum_xy": AMOUNT, "sum_yy": AMOUNT},
)
DEPENDENCY_ROWS = Table(
    "dependency_rows",
    {"kind": NAME, "peer": NAME, "operation": NAME, **_SITE, "entry": NAME},
    {"calls": COUNT, "timeouts": COUNT, "retries": COUNT},
    ("errors",),
    ("wall",),
)
TABLES = (ENTRY_ROWS, CALL_ROWS, QUERY_ROWS, FAN_OUT_ROWS, DRIVER_ROWS, DEPENDENCY_ROWS)

POINT_LEVELS = (0, MINUTE_NS)
"""Points are kept window by window (level 0), and minute by minute (level 1)."""
POINTS = Table(
    "points",
    {"function": NAME, "entry": NAME, "instance": NAME, "sequence": "UInt64"},
    {"calls": COUNT, "wall_ns": AMOUNT, "queries": AMOUNT, "length_ns": COUNT},
    single=("sequence",),
)
