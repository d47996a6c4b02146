"""What the sensor costs, and how right its samples are.

    python evals/bench/sensor_overhead.py [--pairs 8] [--seconds 1.5] [--seed 1] [--programs richards,json]
                                          [--python python3.13]

Cost: CPU time of a program with the sensor over that of the same program without. Each run is a fresh process that
measures its own CPU time around the work, after half a second in which the sensor may find out what is hot (imports
and that half second are left out; ``start`` is the ratio of the half second itself). Runs are interleaved in pairs of
random order; beside them run pairs of the same program twice without the sensor (A/A): their interval is the noise of
this machine, and a ratio inside it says nothing. Printed is the median of the pairs' ratios with a 95 % percentile
bootstrap interval.

Accuracy: for the functions with at least 1 % of the calls, the relative error of the number of calls that the windows
of one such run add up to, against a run of the same work with BURNISH_BUDGET=1, which records each call.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sensor_programs import PROGRAMS

HERE = Path(__file__).resolve()
SENSOR = HERE.parents[2] / "sensor"


RUNNER = """
import os, sys, time
if os.environ["WITH_SENSOR"] == "1":
    import burnish_sensor
    burnish_sensor.start()
import program
warm, rounds = int(sys.argv[1]), int(sys.argv[2])
marks = [time.process_time_ns()]
for count in (warm, rounds):
    for _ in range(count):
        program.work()
    marks.append(time.process_time_ns())
print(marks[1] - marks[0], marks[2] - marks[1])
"""


@dataclass(frozen=True)
class Program:
    """A program in its folder; ``warm`` and ``rounds`` are how often its work is done before and while measured."""

    folder: Path
    python: str
    warm: int
    rounds: int

    def run(self, with_sensor: bool, budget: str = "") -> tuple[int, int]:
        """CPU time in ns of the two parts of one run."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SENSOR), str(self.folder)]),
            "WITH_SENSOR": str(int(with_sensor)),
            "BURNISH_WINDOW_SECONDS": "1",
            "BURNISH_BUDGET": budget,
            "BURNISH_OUTPUT": str(self.folder / f"windows{budget}"),
        }
        command = [self.python, "-c", RUNNER, str(self.warm), str(self.rounds)]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=True
        )
        first, second = done.stdout.split()[-2:]
        return int(first), int(second)

    def calls(self, budget: str = "") -> Counter[str]:
        """Calls by function in the windows of a run of its own."""
        for file in (self.folder / f"windows{budget}").glob("*.jsonl"):
            file.unlink()
        self.run(True, budget)
        calls: Counter[str] = Counter()
        for file in (self.folder / f"windows{budget}").glob("*.jsonl"):
            for line in file.read_text().splitlines():
                calls.update({row["function"]: row["calls"] for row in json.loads(line)["calls"]})
        return calls


def prepared(name: str, folder: Path, python: str, seconds: float) -> Program:
    """A program whose measured part takes about ``seconds`` without the sensor."""
    (folder / "program.py").write_text(textwrap.dedent(PROGRAMS[name]))
    _, once = Program(folder, python, 1, 3).run(False)
    each = once / 3e9
    return Program(folder, python, max(1, round(0.5 / each)), max(2, round(seconds / each)))


def ratios(program: Program, pairs: int, draw: random.Random) -> dict[str, list[float]]:
    """Ratios with over without the sensor, at the start and after it, and of the A/A control, pair by pair."""
    found: dict[str, list[float]] = {"steady": [], "start": [], "A/A": []}
    for _ in range(pairs):
        for with_sensor in (True, False):
            kinds = [with_sensor, False]
            order = [1, 0] if draw.random() < 0.5 else [0, 1]
            runs = {index: program.run(kinds[index]) for index in order}
            start, steady = (runs[0][part] / runs[1][part] for part in (0, 1))
            found["steady" if with_sensor else "A/A"].append(steady)
            if with_sensor:
                found["start"].append(start)
    return found


def interval(values: list[float], draw: random.Random, samples: int = 4_000) -> tuple[float, float]:
    """A 95 % percentile bootstrap interval of the median."""
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(samples))
    return medians[int(samples * 0.025)], medians[int(samples * 0.975)]


def line(name: str, values: list[float], draw: random.Random) -> str:
    low, high = interval(values, draw)
    return f"{name:<24} {statistics.median(values):6.3f}   [{low:.3f}, {high:.3f}]   n = {len(values)}"


def accuracy(program: Program) -> str:
    """The relative errors of the number of calls, of the functions with at least 1 % of them."""
    exact, found = program.calls("1"), program.calls()
    every = sum(exact.values())
    errors = {name: found[name] / count - 1 for name, count in exact.items() if count >= every / 100}
    worst = max(errors, key=lambda name: abs(errors[name]))
    median = statistics.median(abs(error) for error in errors.values())
    return (
        f"{'  calls':<24} {every:,} by {len(errors)} functions; relative error: median {median:.1%}, "
        f"worst {errors[worst]:+.1%} ({worst.partition(':')[2]})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    medians = []
    print(f"{'program':<24}  ratio   95 % interval")
    for name in arguments.programs.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            program = prepared(name, Path(scratch), arguments.python, arguments.seconds)
            found = ratios(program, arguments.pairs, draw)
            print(line(name, found["steady"], draw))
            print(line("  start", found["start"], draw))
            print(line("  A/A", found["A/A"], draw))
            print(accuracy(program), flush=True)
        medians.append(statistics.median(found["steady"]))
    print(f"{'geometric mean':<24} {statistics.geometric_mean(medians):6.3f}   worst {max(medians):.3f}")


if __name__ == "__main__":
    main()
