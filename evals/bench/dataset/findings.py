"""Measures all detectors over seven days of a service that has every kind of problem, for more and more functions.

    python -m evals.bench.dataset.findings [--functions 25000 50000 100000] [--each 20] [--profile]

Beside the functions of `windows.Service`, which have no problem, there are `--each` of every kind here, seen in each
of 168 hours: N+1 loops over rows, statements that ask again, hot functions, spikes under a condition (36 calls looked
at in an hour; the store keeps at most 16 of each kind in a window), flaky dependencies, repeated calls, functions that
raise, requests of stock OpenTelemetry. All of them come through the store as windows. CPU time; the target is 2 s for
all detectors together, and growth that is no more than linear.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from burnish.finding import Finding
from burnish.testing import windows as w
from burnish_tools.detectors import detector_types
from burnish_tools.runtime import SqliteStore
from burnish_tools.runtime.format import parse
from evals.bench.dataset.windows import START, Service

HOUR, HOURS, DAY = 3600, 168, 24 * 3600
ENTRY = "GET busy/"
LISTED, ROW, AGAIN = (
    "SELECT a.id FROM a LIMIT ?",
    "SELECT b.name FROM b WHERE b.id = ?",
    "SELECT c.v FROM c WHERE c.k = ?",
)
LOOKED_AT = 36
Rows = dict[str, list[Any]]


def main() -> None:
    """Prints a Markdown table: a line for each size and detector."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--functions", type=int, nargs="+", default=[25_000, 50_000, 100_000])
    options.add_argument("--each", type=int, default=20, help="problems of each kind")
    options.add_argument("--profile", action="store_true", help="where the time goes, by cProfile")
    args = options.parse_args()
    print("| functions × 7 days | detector | s | findings | left alone |\n|---|---|---|---|---|")
    for functions in args.functions:
        with tempfile.TemporaryDirectory(prefix="burnish-bench-") as directory:
            store = filled(Path(directory), functions, args.each)
            profiler = cProfile.Profile() if args.profile else None
            told(store, functions, profiler)
            store.close()
        if profiler is not None:
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


def filled(directory: Path, functions: int, each: int) -> SqliteStore:
    """Seven days of it, added up."""
    store = SqliteStore(directory / "runtime.sqlite3")
    service, rng = Service(functions), random.Random(3)
    for day in range(7):
        for part in range(0, functions, 5_000):
            some = range(part, min(part + 5_000, functions))
            store.add([parse(service.window_of(some, f"{day}-{part}", 0, START + day * DAY))])
        busy = (troubled(rng, each, hour) for hour in range(24 * day, 24 * (day + 1)))
        store.add([parse(line) for line in busy])
    while store.tidy(START + 7 * DAY):
        pass
    return store


def told(store: SqliteStore, functions: int, profiler: cProfile.Profile | None) -> None:
    """Prints what each detector took and found, the whole in the last line."""
    runtime = store.runtime("shop", "production")
    profile = runtime.profile()
    assert profile is not None
    total = 0.0
    for kind in detector_types():
        detector, start = kind(kind.Settings()), time.process_time()
        if profiler is not None:
            profiler.enable()
        seen = list(detector.detect(profile, runtime, None))
        if profiler is not None:
            profiler.disable()
        spent = time.process_time() - start
        found = sum(isinstance(one, Finding) for one in seen)
        print(f"| {functions:,} | {kind.name} | {spent:.3f} | {found} | {len(seen) - found} |", flush=True)
        total += spent
    print(f"| {functions:,} | all | {total:.3f} | | |", flush=True)


def troubled(rng: random.Random, each: int, hour: int) -> str:
    """A window of one minute in that hour."""
    rows: Rows = {name: [] for name in ("calls", "queries", "per_call", "dependencies", "exemplars", "conditions")}
    for i in range(each):
        _repeating(rows, rng, i)
        _calling(rows, rng, i)
        _slow(rows, rng, i)
        name = f"busy.hot:function_{i}"
        rows["calls"].append(w.calls(name, 20, wall_ms=[rng.uniform(400, 600) for _ in range(20)], entry=ENTRY))
        name = f"busy.raising:function_{i}"
        rows["calls"].append(w.calls(name, 40, wall_ms=2, errors={"KeyError": 4}, entry=ENTRY))
    entry = {**w.entry(ENTRY, 40 * each, wall_ms=400), "errors": {"KeyError": 4 * each}}
    return w.window(entries=[entry], instance="busy", sequence=hour, start=START + hour * (HOUR - 60), **rows)


def _repeating(rows: Rows, rng: random.Random, i: int) -> None:
    """A loop over rows, a statement that asks again, and a request of which only spans are known."""
    n = [rng.randint(5, 40) for _ in range(10)]
    for name, text, same, by in (
        (f"busy.loop:function_{i}", ROW, 0, True),
        (f"busy.again:function_{i}", AGAIN, sum(n) - len(n), False),
        (f"<otel>:GET busy{i}/", ROW, 0, False),
    ):
        at = f"{name}:12"
        driver = w.driver(LISTED, at=f"{name}:11", rows=n) if by else None
        rows["calls"].append(w.calls(name, 10, wall_ms=40, entry=ENTRY))
        rows["queries"].append(w.query(text, at=at, times=sum(n), ms=0.5, rows=sum(n), entry=ENTRY))
        rows["per_call"].append(w.per_call(name, text, at=at, executions=n, identical=same, driver=driver, entry=ENTRY))


def _calling(rows: Rows, rng: random.Random, i: int) -> None:
    """A dependency that fails, and one that is asked again and again."""
    name = f"busy.calling:function_{i}"
    times = [rng.uniform(1, 3) for _ in range(200)]
    rows["calls"].append(w.calls(name, 20, wall_ms=40, entry=ENTRY))
    rows["dependencies"].append(w.dependency("prices:80", at=f"{name}:9", n=200, ms=times, entry=ENTRY))
    rows["dependencies"].append(
        w.dependency("stock:80", at=f"{name}:8", n=20, ms=1, errors={"Timeout": 1}, retries=3, entry=ENTRY)
    )


def _slow(rows: Rows, rng: random.Random, i: int) -> None:
    """A function that is slow with many items."""
    name = f"busy.spike:function_{i}"
    slow = [rng.uniform(200, 400) for _ in range(4)]
    times = [rng.uniform(1, 3) for _ in range(396)]
    rows["calls"].append(w.calls(name, 400, wall_ms=[*slow, *times], entry=ENTRY))
    for ms in (*slow, *times[: LOOKED_AT - 4]):
        facts = {
            "arg.items.size": 512 if ms > 100 else rng.choice((1, 8, 64)),
            "cache": rng.choice(("hit", "miss")),
            "arg.limit.size": 2 ** rng.randint(0, 6),
            "queries": rng.randint(0, 5),
        }
        rows["exemplars"].append(w.exemplar(name, wall_ms=ms, slow=ms > 100, facts=facts, entry=ENTRY))
    rows["conditions"].append(w.condition(name, 400, slow_calls=4))


if __name__ == "__main__":
    main()
