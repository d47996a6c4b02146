"""How fast `burnish collect` takes windows: ratios to the store alone and to a bare `executemany`, in one run.

    python -m evals.bench.collect [--windows 200] [--functions 200] [--rounds 5]

The same windows (lines as the sensor sends them) in four ways, interleaved in random order, each on a new file:

    executemany     the rows of all tables as they lie in the file afterwards, inserted again into an empty one
    store           the lines parsed and checked, then `SqliteStore.add` in groups as large as the collector's
    collector       the lines posted to a collector process by several clients, ten windows a request, as gzip
    collector, one  the same, one window a request, as a sensor sends them when nothing waits

Prints windows per second (the median of the rounds with a bootstrap interval) and the ratio to `executemany`, round by
round.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from burnish.stats import bootstrap
from burnish.testing import windows as w
from burnish_tools.collector.intake import batch
from burnish_tools.runtime import SqliteStore

CLIENTS = 4
INSTANCES = 8
HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}


def main() -> None:
    """Measures and prints a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--windows", type=int, default=200)
    options.add_argument("--functions", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    lines = made(args.windows, args.functions)
    with tempfile.TemporaryDirectory(prefix="burnish-bench-") as directory:
        tables = filled(Path(directory) / "rows.sqlite3", lines)
        ways: dict[str, Callable[[Path], float]] = {
            "executemany": lambda place: inserted(place, tables),
            "store": lambda place: stored(place, lines),
            "collector": lambda place: collected(place, lines, 10),
            "collector, one": lambda place: collected(place, lines, 1),
        }
        seconds = measured(ways, Path(directory), args.rounds, random.Random(1))
    print(
        f"{args.windows} windows of {args.functions} functions, {sum(map(len, lines)) / len(lines) / 1000:.0f} KB each"
    )
    print("| way | windows/s (95 % interval) | of `executemany` | n |\n|---|---|---|---|")
    for name, times in seconds.items():
        rates = bootstrap([len(lines) / t for t in times], median, random.Random(name))
        ratio = bootstrap([b / t for b, t in zip(seconds["executemany"], times, strict=True)], median, random.Random(1))
        share = f"{ratio.value:.0%} ({ratio.low:.0%} to {ratio.high:.0%})"
        print(f"| {name} | {rates.value:.0f} ({rates.low:.0f} to {rates.high:.0f}) | {share} | {rates.n} |")


def made(count: int, functions: int) -> list[bytes]:
    """Windows of several instances in one hour, with a query in one of four functions."""
    start = time.time() // 3600 * 3600 - 3600
    rng = random.Random(1)
    found = []
    for number in range(count):
        rows = [
            w.calls(
                f"shop.m{f % 20}:f{f}",
                30,
                wall_ms=[rng.lognormvariate(1, 1) for _ in range(30)],
                entry=f"GET e{f % 9}/",
            )
            for f in range(functions)
        ]
        queries = [
            w.query(f"SELECT ? FROM t{f}", at=f"shop.m{f % 20}:f{f}:31", times=30, rows=30, entry=f"GET e{f % 9}/")
            for f in range(0, functions, 4)
        ]
        line = w.window(
            calls=rows,
            queries=queries,
            instance=f"i{number % INSTANCES}",
            sequence=number // INSTANCES,
            start=start,
            seconds=10,
        )
        found.append(line.encode())
    return found


def filled(path: Path, lines: Sequence[bytes]) -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    """The table's definition and its rows, of every table, after the windows were taken in."""
    stored(path.parent / "full", lines)
    with sqlite3.connect(path.parent / "full" / "runtime.sqlite3") as db:
        names = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: (sql, db.execute(f"SELECT * FROM {name}").fetchall()) for name, sql in names.fetchall()}


def inserted(place: Path, tables: dict[str, tuple[str, list[tuple[object, ...]]]]) -> float:
    """Seconds for the rows by `executemany`, in one transaction."""
    place.mkdir()
    with sqlite3.connect(place / "rows.sqlite3") as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        for sql, _ in tables.values():
            db.execute(sql)
        began = time.perf_counter()
        for name, (_, rows) in tables.items():
            if rows:
                db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        db.commit()
        return time.perf_counter() - began


def stored(place: Path, lines: Sequence[bytes]) -> float:
    """Seconds for parsing, checking and adding, forty windows a transaction."""
    place.mkdir()
    store = SqliteStore(place / "runtime.sqlite3")
    began = time.perf_counter()
    for first in range(0, len(lines), 40):
        found = batch(b"".join(lines[first : first + 40]), time.time_ns())
        taken = store.add([window for _, _, window in found.windows])
        assert taken.new == len(lines[first : first + 40])
    seconds = time.perf_counter() - began
    store.close()
    return seconds


def collected(place: Path, lines: Sequence[bytes], together: int) -> float:
    """Seconds from the first request to the last answer; each client sends the windows of its instances in order."""
    place.mkdir()
    (place / "burnish.toml").write_text('[service]\nname = "shop"\nrepository = "."\n', encoding="utf-8")
    command = [sys.executable, "-m", "burnish", "collect", "--port", "0"]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+) ", process.stdout.readline())
        assert found
        bodies = [packed(lines[i::CLIENTS], together) for i in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as clients:
            began = time.perf_counter()
            list(clients.map(lambda mine: post(int(found[1]), mine), bodies))
            return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def packed(lines: Sequence[bytes], together: int) -> list[bytes]:
    """Bodies of so many windows."""
    return [gzip.compress(b"".join(lines[i : i + together]), 5) for i in range(0, len(lines), together)]


def post(port: int, bodies: Sequence[bytes]) -> None:
    """One client with one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        while True:
            connection.request("POST", "/v1/windows", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
            assert answer.status == 429, answer.status
            time.sleep(0.05)
    connection.close()


def measured(
    ways: dict[str, Callable[[Path], float]], directory: Path, rounds: int, rng: random.Random
) -> dict[str, list[float]]:
    """Seconds by way, one value a round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in rng.sample(sorted(ways), len(ways)):
            seconds = ways[name](directory / f"{number} {name}")
            if number:
                times[name].append(seconds)
    return times


if __name__ == "__main__":
    main()
