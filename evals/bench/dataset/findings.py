"""Measures hotspots and all detectors over seven days of a service that has every kind of problem, for more and more
functions.

    python -m evals.bench.dataset.findings [--functions 10000 30000 100000] [--runs 5] [--by-detector] [--profile]

Beside the functions of `windows.Service`, which have no problem, there are `--each` of every kind here, seen in each
of 168 hours: N+1 loops over rows, statements that ask again, hot functions, spikes under a condition (36 calls looked
at in an hour; the store keeps at most 16 of each kind in a window), flaky dependencies, repeated calls, functions that
raise, requests of stock OpenTelemetry. All of them come through the store as windows. Timed is what a command does once
all is imported: reading the profile from a newly opened file, ranking the hotspots, and every detector. CPU time,
medians of `--runs`; the target is 2 s for all of it together, and growth that is no more than linear. `--directory`
keeps the stores, which take minutes to fill, for another run.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from burnish.cli import collect_less
from burnish.facts import hot_rows
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
T = TypeVar("T")
ALL = "all"


Times = dict[str, list[float]]


def main() -> None:
    """Prints a Markdown table: a line for each size, or for each size and detector."""
    args = options().parse_args()
    collect_less()
    print("| functions × 7 days | what | s, median | least | most | findings |\n|---|---|---|---|---|---|")
    for functions in args.functions:
        with tempfile.TemporaryDirectory(prefix="burnish-bench-") as temporary:
            directory = Path(args.directory or temporary) / f"{functions}-{args.each}"
            if not directory.exists():
                filled(directory, functions, args.each).close()
            profiler = cProfile.Profile() if args.profile else None
            times, found = Times(), dict[str, int]()
            for _ in range(args.runs):
                found = told(directory, times, profiler)
        for what, seconds in times.items():
            if args.by_detector or what == ALL:
                low, high = min(seconds), max(seconds)
                numbers = f"{median(seconds):.3f} | {low:.3f} | {high:.3f} | {found.get(what, '')}"
                print(f"| {functions:,} | {what} | {numbers} |", flush=True)
        if profiler is not None:
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


def options() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--functions", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    found.add_argument("--each", type=int, default=20, help="problems of each kind")
    found.add_argument("--runs", type=int, default=5)
    found.add_argument("--directory", help="where the filled stores are kept; default: nowhere")
    found.add_argument("--by-detector", action="store_true", help="a line for each part of it")
    found.add_argument("--profile", action="store_true", help="where the time goes, by cProfile")
    return found


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


def told(directory: Path, times: Times, profiler: cProfile.Profile | None) -> dict[str, int]:
    """One run: adds what each part took, and the whole; the number of findings by detector."""
    store, found, total = SqliteStore(directory / "runtime.sqlite3"), dict[str, int](), 0.0
    runtime = store.runtime("shop", "production")

    def timed(what: str, work: Callable[[], T]) -> T:
        nonlocal total
        start = time.process_time()
        seen = profiler.runcall(work) if profiler is not None else work()
        spent = time.process_time() - start
        total += spent
        times.setdefault(what, []).append(spent)
        return seen

    profile = timed("profile", runtime.profile)
    assert profile is not None
    timed("hotspots", lambda: hot_rows(profile, "own"))
    for kind in detector_types():
        detector = kind(kind.Settings())
        seen = timed(kind.name, lambda look=detector.detect: list(look(profile, runtime, None)))
        found[kind.name] = sum(isinstance(one, Finding) for one in seen)
    times.setdefault(ALL, []).append(total)
    store.close()
    return found | {ALL: sum(found.values())}


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
