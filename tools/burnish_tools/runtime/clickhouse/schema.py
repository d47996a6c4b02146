"""The tables in ClickHouse, as numbered steps that are never changed once released: add another instead.

    windows        one row a window; what it holds is in:
    points         (function, entry, instance): calls, time and queries; window by window, and minute by minute
    entry_rows     (entry)                                                   ┐
    call_rows      (function, entry)                                         │  sums of all windows of a release
    query_rows     (statement, call site, entry)                             │  that began in one minute (level 0),
    fan_out_rows   (function on the stack, statement, call site, entry)      │  hour (level 1) or day (level 2)
    driver_rows    the same, and the statement that drove the repetition     │
    dependency_rows (other service and operation, call site, entry)          ┘
    samples        calls that were looked at, by function and window
    functions, statements   code and texts, each once; deployments
    batches        what is being taken in (`ingest.py`); horizon: up to when what was dropped

Rows are written to `…_in`, which keeps nothing (engine Null): a materialised view makes the row of each level of it.
The sums are AggregatingMergeTree tables: the server merges rows of the same key, histograms and all, when it likes,
and a query merges what is left. Within a partition rows lie in the order of service, environment, release and level;
sums then by time (profiles read all functions of a time), points then by function (a series is of one function).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from burnish.errors import DataError
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.tables import (
    COUNTER,
    DAY_NS,
    LENGTHS,
    NAME,
    OWNER,
    PARTITIONS,
    POINT_LEVELS,
    POINTS,
    TABLES,
    Table,
)

REPEATS = 10_000
"""Newest blocks of a table by which a repeated one is known; a batch makes three to six of each table."""


def migrate(connection: Connection) -> None:
    """Brings the tables up to date. Raises DataError where a newer Burnish made them."""
    connection.run("CREATE TABLE IF NOT EXISTS migrations (version UInt32) ENGINE = MergeTree ORDER BY version")
    ((version,),) = connection.read("SELECT max(version) FROM migrations")
    if version > len(MIGRATIONS):
        raise DataError(
            f"{connection.url}: written by a newer Burnish (schema {version}, this one knows {len(MIGRATIONS)}); "
            "upgrade Burnish"
        )
    for number in range(version, len(MIGRATIONS)):
        for statement in MIGRATIONS[number]():
            connection.run(statement)
        connection.insert("migrations", {"version": "UInt32"}, [(number + 1,)])


def _1_tables() -> Iterator[str]:
    for table in TABLES:
        yield from _adding(table, ("level", "start_ns", *table.keys), LENGTHS, PARTITIONS)
    order = ("function", "level", "start_ns", "instance", "sequence", "entry")
    yield from _adding(POINTS, order, POINT_LEVELS, (DAY_NS, DAY_NS))
    yield from (statement.strip() for statement in _OTHERS.split(";"))


MIGRATIONS: tuple[Callable[[], Iterator[str]], ...] = (_1_tables,)


def _adding(table: Table, order: Sequence[str], lengths: Sequence[int], partitions: Sequence[int]) -> Iterator[str]:
    """A table of sums, and the view that makes its rows. All statements may be repeated: none is one transaction."""
    yield f"CREATE TABLE IF NOT EXISTS {table.name}_in ({_columns(table.incoming)}) ENGINE = Null"
    sums = {name: f"SimpleAggregateFunction({how}, {kind}) CODEC(ZSTD)" for name, (how, kind) in table.sums.items()}
    keys = {**OWNER, "level": "UInt8", "start_ns": "Int64 CODEC(Delta, ZSTD)", **table.keys}
    length = f"[{', '.join(map(str, partitions))}][level + 1]"
    yield f"""
CREATE TABLE IF NOT EXISTS {table.name} ({_columns({**keys, **sums})})
ENGINE = AggregatingMergeTree
PARTITION BY (level, intDiv(start_ns, {length}))
ORDER BY ({", ".join((*OWNER, *order))})
SETTINGS non_replicated_deduplication_window = {REPEATS}"""
    merged = ", ".join(f"{how}({name}) AS {name}" for name, (how, _) in table.sums.items())
    group = ", ".join((*OWNER, "level", "start_ns", *table.keys))
    yield f"""
CREATE MATERIALIZED VIEW IF NOT EXISTS {table.name}_view TO {table.name} AS
SELECT {", ".join(OWNER)}, level, {_start(lengths)} AS start_ns, {_keys(table)}, {merged}
FROM {table.name}_in ARRAY JOIN {list(range(len(lengths)))} AS level
GROUP BY {group}"""


def _start(lengths: Sequence[int]) -> str:
    each = ", ".join(str(max(length, 1)) for length in lengths)
    return f"intDiv(at_ns, [{each}][level + 1]) * [{each}][level + 1]"


def _keys(table: Table) -> str:
    single = (f"if(level = 0, {table.name}_in.{name}, 0) AS {name}" for name in table.single)
    return ", ".join((*(name for name in table.keys if name not in table.single), *single))


def _columns(types: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in types.items())


_OTHERS = f"""
CREATE TABLE IF NOT EXISTS windows (
    service {NAME}, environment {NAME}, release {NAME}, instance {NAME}, sequence UInt64 CODEC(Delta, ZSTD),
    start_ns Int64 CODEC(Delta, ZSTD), end_ns Int64 CODEC(Delta, ZSTD), python {NAME}, dropped {COUNTER})
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(start_ns, {DAY_NS})
ORDER BY (service, instance, sequence);

CREATE TABLE IF NOT EXISTS samples (
    service {NAME}, environment {NAME}, release {NAME}, function {NAME}, start_ns Int64 CODEC(Delta, ZSTD),
    instance {NAME}, sequence UInt64 CODEC(Delta, ZSTD), looked String CODEC(ZSTD), exemplars String CODEC(ZSTD))
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(start_ns, {DAY_NS})
ORDER BY (service, environment, release, function, start_ns, instance, sequence);

CREATE TABLE IF NOT EXISTS functions (
    service {NAME}, environment {NAME}, release {NAME}, function String, file {NAME}, line Int32, end_line Int32,
    body String, kind {NAME}, seen_ns Int64)
ENGINE = ReplacingMergeTree(seen_ns)
ORDER BY (service, environment, release, function);

CREATE TABLE IF NOT EXISTS statements (id UInt64, hash String, text String CODEC(ZSTD(3)), system {NAME})
ENGINE = ReplacingMergeTree
ORDER BY id;

CREATE TABLE IF NOT EXISTS deployments (
    service {NAME}, environment {NAME}, unix_ns Int64, release String, marked_by String, marked_ns Int64)
ENGINE = ReplacingMergeTree(marked_ns)
ORDER BY (service, environment, unix_ns, release);

CREATE TABLE IF NOT EXISTS batches (token String, at_ns Int64, done UInt8, windows String CODEC(NONE))
ENGINE = ReplacingMergeTree(done)
PARTITION BY intDiv(at_ns, {DAY_NS})
ORDER BY token;

CREATE TABLE IF NOT EXISTS horizon (name {NAME}, unix_ns SimpleAggregateFunction(max, Int64))
ENGINE = AggregatingMergeTree
ORDER BY name;

CREATE TABLE IF NOT EXISTS marks (file String, byte UInt64, lines UInt64, at_ns Int64)
ENGINE = ReplacingMergeTree(at_ns)
ORDER BY file
"""
