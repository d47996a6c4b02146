"""How often the proof accepts what is no faster, and how often it accepts what is.

    python -m evals.gate --same 300 --tenth 100 [--load 1] [--jobs 1] [--record FILE]

Each search is a whole proof by `ServiceProver` as a job has it: rules, tests, calls captured from the tests, equality,
cost in fresh processes. `same` renames a variable: whatever is accepted there is an error. `tenth` leaves out a tenth
of the function's loops. Meanwhile `--load` other processes work in bursts of random length, as neighbours do. Each
result is a line in `--record`, and a run goes on from what is there. Prints shares with Wilson intervals of 95 %.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import track

from burnish.job import Proof
from burnish.stats import wilson
from evals.gate.service import Weighing

NEIGHBOUR = (
    "import random, time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end:\n"
    "    until = time.monotonic() + random.expovariate(2)\n"
    "    while time.monotonic() < until:\n        pass\n"
    "    time.sleep(random.expovariate(2))\n"
)
MOST_SECONDS = 6 * 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is missing, prints the table; 1 where a bar is missed."""
    options = argparse.ArgumentParser(
        prog="python -m evals.gate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--same", type=int, default=300, metavar="N", help="searches of the same code (300)")
    options.add_argument("--tenth", type=int, default=100, metavar="N", help="searches of a true gain of 10 %% (100)")
    options.add_argument("--load", type=int, default=1, metavar="N", help="processes that disturb (1)")
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="searches at the same time (1)")
    options.add_argument("--record", type=Path, default=Path("gate.jsonl"), help="results so far (gate.jsonl)")
    args = options.parse_args(arguments)
    console = Console(stderr=True)
    counts = {"same": args.same, "tenth": args.tenth}
    asked = [(kind, n) for kind, count in counts.items() for n in range(count)]
    asked.sort(key=lambda one: one[1] / counts[one[0]])  # both meet the same weather
    known = {(row["kind"], row["number"]) for row in recorded(args.record)}
    todo = [one for one in asked if one not in known]
    with tempfile.TemporaryDirectory() as folder, neighbours(args.load), args.record.open("a", encoding="utf-8") as out:
        weighing = Weighing(Path(folder))
        with ThreadPoolExecutor(args.jobs) as pool:
            done = pool.map(lambda one: (*one, weighing.search(*one)), todo)
            for kind, number, proof in track(done, "searches", total=len(todo), console=console):
                out.write(json.dumps(row(kind, number, proof)) + "\n")
                out.flush()
    return report([row for row in recorded(args.record) if (row["kind"], row["number"]) in set(asked)])


def row(kind: str, number: int, proof: Proof) -> dict[str, object]:
    """What is kept of a search."""
    failure = proof.failure
    saving = next((e.saving for e in proof.effects if e.what == "time"), None)
    return {
        "kind": kind,
        "number": number,
        "accepted": proof.proven,
        "by": failure.name if failure else "",
        "why": failure.why.value if failure and failure.why else "",
        "saving": [saving.value, saving.low, saving.high, saving.n] if saving else None,
    }


def recorded(path: Path) -> list[dict[str, object]]:
    """Rows so far; a line that a killed run has cut is done again."""
    rows = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def report(rows: Sequence[dict[str, object]]) -> int:
    """A Markdown table; 1 where more than 1 % of the same, or less than 90 % of the gains, were accepted."""
    print("| change | searches | accepted | share (95 % interval) | refused by |\n|---|---|---|---|---|")
    shares = {}
    for kind, name in (("same", "none: a variable is renamed"), ("tenth", "a tenth of the loops is left out")):
        mine = [row for row in rows if row["kind"] == kind]
        accepted = sum(bool(row["accepted"]) for row in mine)
        if mine:
            share = shares[kind] = wilson(accepted, len(mine))
            refused = Counter(f"{row['by']} ({row['why']})" for row in mine if not row["accepted"])
            told = ", ".join(f"{by} {count}" for by, count in refused.most_common()) or "none"
            interval = f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
            print(f"| {name} | {len(mine)} | {accepted} | {interval} | {told} |")
    missed = ("same" in shares and shares["same"].value > 0.01) or ("tenth" in shares and shares["tenth"].value < 0.9)
    return int(missed)


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Processes that work in bursts; they end with the block, and in any case after some hours."""
    code = NEIGHBOUR.format(seconds=MOST_SECONDS)
    with ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", code])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


if __name__ == "__main__":
    sys.exit(main())
