"""How long the reading commands take, process start and imports included, on a dataset that is there.

    python -m evals.bench.cli_latency --config .burnish-demo/burnish.toml --function product_list

Fresh processes, interleaved in random order with `python -c pass` as the baseline of the same run. Prints the median of
each in milliseconds with a bootstrap interval, and the ratio to the baseline.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from burnish.stats import bootstrap


def main() -> None:
    """Measures and prints a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--config", type=Path, required=True)
    options.add_argument("--function", required=True)
    options.add_argument("--rounds", type=int, default=15)
    args = options.parse_args()
    burnish = [sys.executable, "-m", "burnish"]
    tail = ["--config", str(args.config), "--json"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "burnish why FUNCTION": [*burnish, "why", args.function, *tail],
        "burnish outcomes": [*burnish, "outcomes", *tail],
        "burnish function FUNCTION": [*burnish, "function", args.function, *tail],
        "burnish hotspots": [*burnish, "hotspots", *tail],
        "burnish findings": [*burnish, "findings", *tail],
    }
    times = measured(commands, args.rounds, random.Random(1))
    base = median(times["python -c pass"])
    print("| command | median ms (95 % interval) | × `python -c pass` | n |\n|---|---|---|---|")
    for name, values in times.items():
        seen = bootstrap(values, median, random.Random(name))
        print(
            f"| `{name}` | {seen.value:.0f} ({seen.low:.0f} to {seen.high:.0f}) | {seen.value / base:.1f} | {seen.n} |"
        )


def measured(commands: dict[str, list[str]], rounds: int, rng: random.Random) -> dict[str, list[float]]:
    """Milliseconds by command, one value a round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name in rng.sample(sorted(commands), len(commands)):
            began = time.perf_counter()
            subprocess.run(commands[name], check=True, stdout=subprocess.DEVNULL)
            if number:
                times[name].append((time.perf_counter() - began) * 1000)
    return times


if __name__ == "__main__":
    main()
