"""Measures what the dataset takes on the disk, kind of row by kind of row, in SQLite and in ClickHouse (docs/scale.md).

    python -m evals.bench.dataset_size [--functions 5000] [--active 300] [--windows 720] [--instances 2]
    python -m evals.bench.dataset_size --lines FILE …  # windows as a sensor wrote them

The windows are 10 s each, of a made-up service (`dataset/windows.py`), or recorded lines. They are taken in by 25 as a
collector does it and added up; then SQLite's pages (`dbstat`) and ClickHouse's parts (`system.parts`, after
`OPTIMIZE … FINAL`; the engine is `chdb`) are counted. Bytes do not depend on the load of the machine.
"""

from __future__ import annotations

import argparse
import gzip
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish_tools.runtime import SqliteStore, Store
from burnish_tools.runtime.clickhouse import ClickHouseStore, connect
from burnish_tools.runtime.clickhouse.tables import TABLES
from burnish_tools.runtime.format import parse
from evals.bench.dataset.windows import Service, lines, rows_in

BATCH = 25
_SUMS = tuple(table.name for table in TABLES)


@dataclass(frozen=True)
class Sizes:
    """Bytes and rows by kind."""

    detail: int
    """All rows of windows with their distributions: SQLite's of each window, ClickHouse's of each minute."""
    points: int
    point_rows: int
    minutes: int
    minute_rows: int
    """Points minute by minute; 0 where they have not been put together yet."""
    hours: int
    days: int
    hour_rows: int
    """Function rows of an hour: (function, entry, hour)."""
    samples: int
    windows: int


def main() -> None:
    """Measures and prints a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=Path, nargs="+")
    options.add_argument("--functions", type=int, default=5_000)
    options.add_argument("--active", type=int, default=300)
    options.add_argument("--windows", type=int, default=720)
    options.add_argument("--instances", type=int, default=2)
    args = options.parse_args()
    made = lines(Service(args.functions), args.windows, args.active, args.instances)
    sent = (
        list(made)
        if args.lines is None
        else [line for path in args.lines for line in path.read_bytes().splitlines(keepends=True)]
    )
    rows = sum(map(rows_in, sent))
    wire = sum(len(gzip.compress(b"".join(sent[i : i + BATCH]))) for i in range(0, len(sent), BATCH))
    with tempfile.TemporaryDirectory() as directory:
        found = {"SQLite": sqlite(Path(directory), sent), "ClickHouse": clickhouse(Path(directory), sent)}
    print(f"{len(sent):,} windows, {rows:,} function rows; gzip as sent: {wire / rows:.1f} bytes a function row\n")
    print("| bytes | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for name, values in _table(found, rows, len(sent)):
        print(f"| {name} | " + " | ".join(f"{value:.1f}" if value else "–" for value in values) + " |")


def _table(found: dict[str, Sizes], rows: int, windows: int) -> Iterator[tuple[str, list[float]]]:
    sizes = found.values()
    yield "detail, a function row sent", [s.detail / rows for s in sizes]
    yield "point of one window", [s.points / s.point_rows for s in sizes]
    yield "point of one minute", [s.minutes / max(1, s.minute_rows) for s in sizes]
    yield "hour, for each (function, entry) in it, with its statements", [s.hours / s.hour_rows for s in sizes]
    yield "day, the same", [s.days / s.hour_rows for s in sizes]
    yield "samples, a window", [s.samples / windows for s in sizes]
    yield "the window itself", [s.windows / windows for s in sizes]
    yield "number of (function, entry, hour)", [s.hour_rows for s in sizes]
    yield "number of points of a minute, for one of a window", [s.minute_rows / s.point_rows for s in sizes]


def _fill(store: Store, sent: Sequence[bytes]) -> None:
    end = 0
    for i in range(0, len(sent), BATCH):
        windows = [parse(line) for line in sent[i : i + BATCH]]
        end = max(end, *(window.end_unix_ns for window in windows))
        store.add(windows)
    while store.tidy(end / 1e9):
        pass


def sqlite(directory: Path, sent: Sequence[bytes]) -> Sizes:
    """What SQLite takes; its sums of an hour and of a day lie in the same tables, and are told apart by their rows."""
    path = directory / "dataset.sqlite3"
    store = SqliteStore(path)
    _fill(store, sent)
    store.close()
    db = sqlite3.connect(path)
    owned = "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1"
    size: dict[str, int] = dict(db.execute(owned).fetchall())
    counted = "SELECT s.level, count(*) FROM call_rows r JOIN spans s ON s.id = r.span_id GROUP BY 1"
    sums: dict[int, int] = dict(db.execute(counted).fetchall())
    hours = sum(size.get(name, 0) for name in _SUMS) * sums[1] // sum(sums.values())
    (points,) = db.execute("SELECT count(*) FROM points").fetchone()
    return Sizes(
        detail=size["details"],
        points=size["points"],
        point_rows=points,
        minutes=0,
        minute_rows=0,
        hours=hours,
        days=sum(size.get(name, 0) for name in _SUMS) - hours,
        hour_rows=sums[1],
        samples=size["samples"],
        windows=size["spans"],
    )


def clickhouse(directory: Path, sent: Sequence[bytes]) -> Sizes:
    """What ClickHouse takes once the parts of each partition are merged."""
    connection = connect(f"chdb://{directory}/engine/dataset")
    _fill(ClickHouseStore(connection), sent)
    for table in (*_SUMS, "points", "windows", "samples"):
        connection.run(f"OPTIMIZE TABLE {table} FINAL")
    by_level = "if(partition LIKE '(%', splitByChar(',', substring(partition, 2))[1], '')"
    found = connection.read(
        f"SELECT table, {by_level} AS level, sum(bytes_on_disk), sum(rows) FROM system.parts"
        " WHERE active AND database = currentDatabase() GROUP BY table, level"
    )
    size = {(table, level): (size, rows) for table, level, size, rows in found}
    levels = [sum(size.get((name, level), (0, 0))[0] for name in _SUMS) for level in "012"]
    connection.close()
    return Sizes(
        detail=levels[0],
        points=size["points", "0"][0],
        point_rows=size["points", "0"][1],
        minutes=size["points", "1"][0],
        minute_rows=size["points", "1"][1],
        hours=levels[1],
        days=levels[2],
        hour_rows=size["call_rows", "1"][1],
        samples=size.get(("samples", ""), (0, 0))[0],
        windows=size["windows", ""][0],
    )


if __name__ == "__main__":
    main()
