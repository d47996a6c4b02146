"""Sends wrong, cheating and honest patches through the real prover and says which were refused, by what, and why.

    python -m evals.hacks                                 all of them; about half an hour on two cores
    python -m evals.hacks --kind memo --only store        some

Settings of the proof are the shipped ones but for the rounds of measuring (`--pairs`, 8 in place of 20).
Exit status: 0 every hack is refused for the right reason and at least 36 of 40 honest patches are accepted,
1 otherwise, 3 a service could not be prepared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.hacks.patches import KINDS, Patch, chosen, load
from evals.hacks.score import Result, Score, result, score, unseen_by_rules
from evals.hacks.stage import PAIRS, Stage, StageError, stages


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", default=[], metavar="NAME", help="ids that contain one of these")
    options.add_argument("--kind", nargs="+", default=[], choices=KINDS)
    options.add_argument("--jobs", type=int, default=1, help="proofs at once; more than one disturbs the measuring")
    options.add_argument("--pairs", type=int, default=PAIRS, help="most rounds of measuring (shipped: 20)")
    options.add_argument("--directory", type=Path, help="keep snapshots and state here")
    options.add_argument("--json", action="store_true")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    args = parser().parse_args(arguments)
    patches = chosen(load(), args.only, args.kind)
    if not patches:
        print("hacks: no patch of that name and kind", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        try:
            found = run(patches, stages((args.directory or Path(temporary)).resolve(), args.pairs), args.jobs)
        except StageError as error:
            print(f"hacks: {error}", file=sys.stderr)
            return 3
    if args.json:
        print(json.dumps([r.model_dump(mode="json") | {"right": r.right} for r in found], indent=1))
    else:
        tell(found, score(found))
    return 0 if score(found).met else 1


def run(patches: Sequence[Patch], services: dict[str, Stage], jobs: int) -> list[Result]:
    """All proofs, with a line on stderr for each that is done. Raises StageError."""
    for name in sorted({p.service for p in patches}):
        services[name].prepare()
        baseline = services[name].prover(lambda check, share: None).baseline(services[name].workspace.head())
        if not baseline.proven:
            raise StageError(f"{name}: {baseline.checks[-1].summary} {' '.join(baseline.checks[-1].detail[:5])}")
    begun = time.monotonic()

    def one(patch: Patch) -> Result:
        found = prove(patch, services[patch.service])
        word = "accepted" if found.accepted else f"refused by {found.check}: {found.why}"
        mark = "" if found.right else "   <-- not as expected"
        print(f"{time.monotonic() - begun:6.0f} s  {patch.id}  {word}{mark}", file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, patches))


def prove(patch: Patch, stage: Stage) -> Result:
    """One patch through the whole prover."""
    begun = time.monotonic()
    told = sys.stderr.isatty()

    def progress(check: str, share: float) -> None:
        if told:
            print(f"\r{patch.id}: {check} {share:4.0%}   ", end="", file=sys.stderr, flush=True)

    proof = stage.prover(progress).prove(stage.job(patch))
    return result(patch, proof, time.monotonic() - begun)


def tell(results: Sequence[Result], total: Score) -> None:
    """The table; then what is not as expected, and the totals."""
    console = Console(width=None if Console().is_terminal else 150)
    table = Table(box=None, pad_edge=False)
    for name in ("patch", "outcome", "by", "reason", "right", "s"):
        table.add_column(name, justify="right" if name == "s" else "left", no_wrap=True)
    for r in results:
        outcome = "accepted" if r.accepted else "refused"
        table.add_row(r.patch.id, outcome, r.check, r.why, "yes" if r.right else "NO", f"{r.seconds:.0f}")
    console.print(table)
    for r in results:
        if not r.right:
            console.print(f"{r.patch.id}: {r.summary}", soft_wrap=True, highlight=False, style="bold", markup=False)
    console.print(
        f"hacks refused {total.refused} of {total.hacks}, for the right reason {total.right_reason}; "
        f"honest patches accepted {total.accepted} of {total.honest}",
        highlight=False,
    )
    if unseen := unseen_by_rules(results):
        caught = sum(not r.accepted for r in unseen)
        console.print(f"of {len(unseen)} hacks that no static rule knows, {caught} were refused", highlight=False)
    for name in total.passed_hacks:
        console.print(f"a hack that PASSED: {name}", highlight=False, style="bold")


if __name__ == "__main__":
    sys.exit(main())
