"""How much `burnish function` works once everything is imported, against a bare read of the release's rows.

    python -m evals.bench.function_view [--functions 400] [--hours 12] [--rounds 15]

A dataset in SQLite: two releases, one window a minute, every function in each of them, with callers, statements and
calls that were looked at. Measured, interleaved in random order in one process: the rows of the newest release as
SQLite gives them (`SELECT` of the sums by day, all tables, nothing decoded), the profile and the excerpt made of them,
and the whole answer (excerpt, view, JSON under the budget) for functions drawn at
random from those with calls that were looked at (the dearest to answer for). Prints medians with bootstrap
intervals, and each as a ratio to the bare read.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from burnish.function_facts import function_json
from burnish.function_view import function_view
from burnish.profile import Profile
from burnish.stats import bootstrap
from burnish.testing import windows as w
from burnish.tokens import as_json
from burnish_tools.runtime import SqliteRuntime
from burnish_tools.runtime.sqlite.rows import TABLES

STATEMENT = "SELECT a.id, a.name FROM a WHERE a.parent_id = ? AND a.kind = ?"
RELEASES = ("first", "second")
START = 1_700_000_000 // 86_400 * 86_400


def main() -> None:
    """Makes the dataset, measures and prints a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--functions", type=int, default=400)
    options.add_argument("--hours", type=int, default=12)
    options.add_argument("--rounds", type=int, default=15)
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="burnish-bench-") as directory:
        runtime = dataset(Path(directory), args.functions, args.hours * 60)
        profile = runtime.profile()
        assert profile is not None
        print(
            f"{len(profile.functions)} functions, {profile.windows} windows of the newest of {len(RELEASES)} releases\n"
        )
        names = [f.function for f in profile.functions if runtime.samples(f.function, profile.release)]
        tell(measured(cases(runtime, profile), names, args.rounds, random.Random(1)))


def dataset(directory: Path, functions: int, minutes: int) -> SqliteRuntime:
    """The store, filled window by window."""
    lines = (line for number, release in enumerate(RELEASES) for line in windows(release, number, functions, minutes))
    runtime = SqliteRuntime(directory / "runtime.sqlite3", "shop", "production", w.write(directory / "windows", *lines))
    runtime.refresh()
    return runtime


def windows(release: str, number: int, functions: int, minutes: int) -> Iterator[str]:
    """A third of the functions run a statement; every seventh has calls that were looked at."""
    rng = random.Random(release)
    names = [f"shop.part{i % 20}:function_{i}" for i in range(functions)]
    for minute in range(minutes):
        yield w.window(
            release=release,
            instance=f"{release}-one",
            sequence=minute,
            start=START + number * minutes * 60,
            bodies={name: f"{i}{number if i % 10 == 0 else 0}" for i, name in enumerate(names)},
            calls=[
                w.calls(
                    name,
                    20,
                    wall_ms=rng.uniform(1, 9),
                    entry=f"GET part{i % 20}/",
                    caller=names[i - 1] if i % 4 else "",
                )
                for i, name in enumerate(names)
            ],
            queries=[
                w.query(STATEMENT, at=f"{name}:12", times=20, entry=f"GET part{i % 20}/")
                for i, name in enumerate(names)
                if i % 3 == 0
            ],
            per_call=[
                w.per_call(name, STATEMENT, at=f"{name}:12", executions=[1] * 20, entry=f"GET part{i % 20}/")
                for i, name in enumerate(names)
                if i % 3 == 0
            ],
            exemplars=[exemplar(name, rng) for name in names[::7] for _ in range(8)],
            conditions=[w.condition(name, 20, slow_calls=2, slow_ms=8) for name in names[::7]],
        )


def exemplar(name: str, rng: random.Random) -> w.Json:
    """A call that is slow where it has many items."""
    slow = rng.random() < 0.25
    facts = {"arg.items.size": 512 if slow else rng.choice((1, 8, 64)), "cache": rng.choice(("hit", "miss"))}
    return w.exemplar(name, wall_ms=rng.uniform(8, 20) if slow else rng.uniform(1, 8), slow=slow, facts=facts)


def cases(runtime: SqliteRuntime, profile: Profile) -> dict[str, Callable[[str], object]]:
    """What is measured, by name; each is given a function."""
    db = sqlite3.connect(runtime.path)

    def bare(name: str) -> object:
        query = "SELECT * FROM {} WHERE span_id IN (SELECT id FROM spans WHERE release = ? AND level = 2)"
        return [db.execute(query.format(table.name), (profile.release,)).fetchall() for table in TABLES]

    def answer(name: str) -> object:
        part = runtime.excerpt(name)
        assert part is not None
        now = profile.end_unix_ns / 1e9
        return as_json(function_json(function_view(name, runtime, part, (), (), now=now)))

    return {
        "bare read of the release's rows": bare,
        "profile": lambda name: runtime.profile(),
        "excerpt": runtime.excerpt,
        "view of a given profile": lambda name: function_view(name, runtime, profile, (), (), now=0.0),
        "the whole answer": answer,
    }


def measured(
    given: dict[str, Callable[[str], object]], functions: list[str], rounds: int, rng: random.Random
) -> dict[str, list[float]]:
    """Milliseconds of CPU (SQLite works in this process) by case, one value a round; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in given}
    for number in range(rounds + 1):
        function = rng.choice(functions)
        for name in rng.sample(sorted(given), len(given)):
            began = time.process_time()
            given[name](function)
            if number:
                times[name].append((time.process_time() - began) * 1000)
    return times


def tell(times: dict[str, list[float]]) -> None:
    """A table in Markdown."""
    base = median(next(iter(times.values())))
    print("| what | median ms of CPU (95 % interval) | × the bare read | n |\n|---|---|---|---|")
    for name, values in times.items():
        seen = bootstrap(values, median, random.Random(name))
        ratio = seen.value / base
        print(f"| {name} | {seen.value:.1f} ({seen.low:.1f} to {seen.high:.1f}) | {ratio:.2f} | {seen.n} |")


if __name__ == "__main__":
    main()
