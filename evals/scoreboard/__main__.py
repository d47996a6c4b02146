"""Precision and recall of the findings on the example services, each run under bounded load with the sensor.

    python -m evals.scoreboard                           both services; the ledger needs PostgreSQL's server programs
    python -m evals.scoreboard --service shop --json

Exit status: 0 every planted problem is found with its call site and no decoy is among the first ten candidates,
1 otherwise, 3 a service could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from burnish.app import App
from evals.scoreboard.score import Answers, Score, scores
from evals.scoreboard.stage import LEDGER, SHOP, Staged, StageError, ledger, shop

REQUESTS = 5000
"""The rarest planted problem is one request in seventy: enough for twice the calls that a detector asks for."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--service", choices=(SHOP, LEDGER), help="default: both")
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="of the shop")
    options.add_argument("--requests", type=int, default=REQUESTS, help="to each service, in at most four minutes")
    options.add_argument("--seed", type=int, default=7, help="of the data and the load")
    options.add_argument("--directory", type=Path, help="keep the data here; it must be new, or an earlier run's")
    options.add_argument("--json", action="store_true")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the services one after the other."""
    args = parser().parse_args(argv)
    boards: dict[str, list[Score]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="burnish-scoreboard-") as temporary:
            for service in [args.service] if args.service else [SHOP, LEDGER]:
                boards[service] = board(service, (args.directory or Path(temporary)).resolve() / service, args)
    except StageError as error:
        print(f"scoreboard: {error}", file=sys.stderr)
        return 3
    if args.json:
        rows = {service: [score.row() for score in found] for service, found in boards.items()}
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for service, found in boards.items():
            tell(service, found)
    return 1 if any(found[-1].failed for found in boards.values()) else 0


def board(service: str, directory: Path, args: argparse.Namespace) -> list[Score]:
    """Runs one service and scores what Burnish says of it."""

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with ExitStack() as stack:
        if service == SHOP:
            staged = shop(directory, stack, say, requests=args.requests, seed=args.seed, database=args.database)
        else:
            staged = ledger(directory, stack, say, requests=args.requests, seed=args.seed)
        return scored(staged)


def scored(staged: Staged) -> list[Score]:
    """What `burnish findings` says, against the answers."""
    app = App(staged.config)
    app.runtime.refresh()
    ranking = app.world.assess()
    if ranking is None:
        raise StageError(f"{staged.config.parent}: the sensor wrote no window; see service.log there")
    answers = Answers.read(staged.answers, staged.code)
    candidates = [c.finding for c in ranking.candidates]
    return scores(answers, candidates, [t.finding for t in ranking.told], ranking.passed)


def tell(service: str, found: Sequence[Score]) -> None:
    """A table, and below it what was missed and which decoys were hit."""
    console = Console(width=None if Console().is_terminal else 140)
    table = Table(title=f"{service}: findings against the answers", box=None, title_justify="left", pad_edge=False)
    for name in ("detector", "planted", "found", "recall", "of the first ten", "planted ones", "precision", "decoys"):
        table.add_column(name, justify="left" if name == "detector" else "right")
    for s in found:
        table.add_row(
            s.detector, str(s.planted), str(s.found), _share(s.recall), str(s.reported), str(s.right),
            _share(s.precision), str(len(s.decoys)),
        )  # fmt: skip
    console.print(table)
    everything = found[-1]
    for m in everything.missed:
        console.print(f"  missed: {m.kind} in {m.function} ({m.instead})", soft_wrap=True, highlight=False)
    for function in everything.decoys:
        console.print(f"  decoy among the first ten: {function}", highlight=False)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


if __name__ == "__main__":
    sys.exit(main())
