"""Measures the SQLite dataset. Every number is a ratio within one run, or belongs to the machine it was taken on.

    python -m evals.bench.dataset [--quick] [--rounds 11] [--only ingest]

*Ingest*: windows of 300 function rows each (and their queries, statements per call, exemplars), taken in by 25, against
a bare `executemany` of the same rows in tables of a row for each function and window, with the same settings of the
file; they alternate in random order. CPU time: what waits for the disk waits on both sides.
We read "the rate of a bare `executemany` of the same rows" as: all rows of a window and not only those of functions,
each with the bytes that the dataset keeps of it, made ready before the clock starts, with names as numbers already; and
with the keys that let a window and a function be found, as the dataset's can be once `add` has returned. Without keys
and indexes the bare side is quicker, and is shown too. "Adding up" is what is owed for a window after it is safe: the
sums of hours and days, points, samples and deflating, done when somebody reads or tidies. A collector that is never
idle pays it as well, so the last row is what it can go on with for ever.
*Size*: what the file takes for each function and window, against the gzip of the same windows as they are sent.
*Reading*: `profile` and all detectors over seven days, for more and more functions.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from burnish.facts import hot_rows
from burnish.stats import bootstrap
from burnish_tools.detectors import detector_types
from burnish_tools.runtime import SqliteStore
from burnish_tools.runtime.format import Window, parse
from evals.bench.dataset import bare
from evals.bench.dataset.windows import START, Service, lines, rows_in

BATCH = 25
DAY = 24 * 3600


def main() -> None:
    """Measures and prints Markdown tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a tenth of the windows and functions")
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--only", choices=("ingest", "reading"))
    args = options.parse_args()
    small = 10 if args.quick else 1
    with tempfile.TemporaryDirectory() as directory:
        if args.only != "reading":
            ingest(Path(directory), 100 if args.quick else 400, args.rounds)
        if args.only != "ingest":
            reading(Path(directory), [n // small for n in (25_000, 50_000, 100_000)])


def ingest(directory: Path, windows: int, rounds: int) -> None:
    """Prints what a function row costs to take in, and in bytes."""
    sent = list(lines(Service(2_000), windows, 300))
    rows = sum(map(rows_in, sent))
    parsed = [parse(line) for line in sent]
    tables = bare.tables(parsed)
    sides: dict[str, Callable[[Path], None]] = {
        "bare executemany": lambda path: bare.write(path, tables),
        "bare, without keys and indexes": lambda path: bare.write(path, tables, found=False),
        "add": lambda path: _add(path, parsed, tidy=False),
        "parse and add": lambda path: _add(path, (parse(line) for line in sent), tidy=False),
        "add, with adding up": lambda path: _add(path, parsed, tidy=True),
        "parse, add and adding up": lambda path: _add(path, (parse(line) for line in sent), tidy=True),
    }
    gc.collect()
    gc.freeze()  # what the benchmark itself holds is not looked through by the collector
    times: dict[str, list[float]] = {name: [] for name in sides}
    rng = random.Random(1)
    for number in range(rounds):
        for name in rng.sample(list(sides), len(sides)):
            start = time.process_time()
            sides[name](directory / f"{number}-{name}.sqlite3")
            times[name].append(time.process_time() - start)
    print(f"| {rows:,} function rows | µs a row | share of the bare rate |\n|---|---|---|")
    for name, each in times.items():
        pairs = list(zip(times["bare executemany"], each, strict=True))
        share = bootstrap(pairs, lambda some: median(a / b for a, b in some), rng)
        interval = f"{share.value:.0%} ({share.low:.0%}–{share.high:.0%})"
        print(f"| {name} | {median(each) / rows * 1e6:.1f} | {interval} |")
    wire = len(gzip.compress(b"".join(sent))) / rows
    stored = _size(directory / "0-add, with adding up.sqlite3") / rows
    print(f"\nbytes for a function and window: {stored:.0f}, the gzip {wire:.0f}: {stored / wire:.2f} times\n")


def _add(path: Path, windows: Iterable[Window], *, tidy: bool) -> None:
    store, left = SqliteStore(path), iter(windows)
    while batch := list(islice(left, BATCH)):
        store.add(batch)
    while tidy and store.tidy(START):
        pass
    store.close()


def _size(path: Path) -> int:
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path.stat().st_size


def reading(directory: Path, sizes: Sequence[int]) -> None:
    """Prints how long answers over seven days take."""
    print("| functions × 7 days | profile s | hotspots s | findings s | all, µs a function |\n|---|---|---|---|---|")
    for functions in sizes:
        store = SqliteStore(directory / f"{functions}.sqlite3")
        service = Service(functions)
        for day in range(7):
            for part in range(0, functions, 5_000):
                line = service.window_of(
                    range(part, min(part + 5_000, functions)), f"{day}-{part}", 0, START + day * DAY
                )
                store.add([parse(line)])
        while store.tidy(START + 7 * DAY):
            pass
        runtime = store.runtime("shop", "production")
        start = time.process_time()
        profile = runtime.profile()
        assert profile is not None
        read = time.process_time()
        hot_rows(profile, "own")
        ranked = time.process_time()
        for kind in detector_types():
            list(kind(kind.Settings()).detect(profile, runtime, None))
        end = time.process_time()
        spent = read - start, ranked - read, end - ranked
        each = " | ".join(f"{seconds:.2f}" for seconds in spent)
        print(f"| {functions:,} | {each} | {(end - start) / functions * 1e6:.1f} |", flush=True)
        store.close()


if __name__ == "__main__":
    main()
