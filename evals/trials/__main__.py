"""Runs the test suites of public libraries with and without the sensor and compares the outcome of each test.

    python -m evals.trials [NAME…] [--python python3.12]… [--cache DIRECTORY] [--markdown FILE]

Each suite runs once without and once with the sensor, which observes all functions of the library. A test whose outcome
differs is then run alone, three times each way: an outcome that also varies without the sensor is not the sensor's.
Exit status: 0 all the same, 1 a difference that only the sensor makes, 3 a trial could not be prepared or run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.trials.library import Library, Run, Trial, TrialError, load_trials, prepare

_TIMES = 3
_COLUMNS = ("passed", "failed", "error", "skipped", "xfailed")


@dataclass
class Result:
    """A trial on one Python. ``differences``: for each differing test its outcomes without, with, and again alone."""

    trial: Trial
    python: str
    plain: Run
    observed: Run
    differences: dict[str, str] = field(default_factory=dict)
    ours: list[str] = field(default_factory=list)


def compare(library: Library) -> Result:
    """Run a suite both ways, and what differed again."""
    plain = library.run(observed=False)
    if not plain.counts()["passed"]:
        raise TrialError(f"{library.trial.name}: no test passes without the sensor:\n{plain.output[-2000:]}")
    result = Result(library.trial, library.version, plain, library.run(observed=True))
    before, after = result.plain.outcomes, result.observed.outcomes
    for test in sorted(before.keys() | after.keys()):
        first = (before.get(test, "missing"), after.get(test, "missing"))
        if first[0] != first[1]:
            alone = [_alone(library, observed, test) for observed in (False, True)]
            result.differences[test] = "{} → {}; alone {} → {}".format(*first, *("/".join(each) for each in alone))
            if len(set(alone[0])) == 1 and alone[0] != alone[1]:
                result.ours.append(test)
    if result.plain.status != result.observed.status and not result.differences:
        result.ours.append(f"exit status {result.plain.status} → {result.observed.status}")
    return result


def _alone(library: Library, observed: bool, test: str) -> list[str]:
    options = [argument for argument in library.trial.tests if argument.startswith("-")]
    runs = [library.run(observed, [test, *options]) for _ in range(_TIMES)]
    return [run.outcomes.get(test, f"exit {run.status}") for run in runs]


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table, without and with the sensor, and the differences below."""
    lines = [
        "| suite | Python | passed | failed | error | skipped | xfailed | observed: functions, calls, queries |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        plain, observed, seen = result.plain.counts(), result.observed.counts(), result.observed.seen
        cells = [f"{plain[name]} / {observed[name]}" for name in _COLUMNS]
        what = f"{seen['functions']:,}, {seen['calls']:,}, {seen['queries']:,}"
        lines.append(f"| {result.trial.name} {result.trial.version} | {result.python} | {' | '.join(cells)} | {what} |")
    for result in results:
        lines += ["", f"{result.trial.name} on {result.python}:"] if result.differences else []
        lines += [f"- `{test}`: {outcome}" for test, outcome in result.differences.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    trials = load_trials()
    parser = argparse.ArgumentParser(prog="python -m evals.trials", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(trials))
    parser.add_argument("--python", action="append", help="an interpreter; may be given again (default: this one)")
    parser.add_argument("--cache", type=Path, default=Path(".burnish-trials"), help="sources and environments")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(trials)
    if unknown:
        parser.error(f"no such trial: {', '.join(sorted(unknown))}; there are {', '.join(trials)}")
    results, failed = [], False
    for python in options.python or [sys.executable]:
        for name in options.names or trials:
            try:
                library = prepare(trials[name], python, options.cache.resolve())
                results.append(compare(library))
            except TrialError as error:
                print(f"trials: {error}", file=sys.stderr)
                failed = True
                continue
            print(table(results[-1:]), flush=True)
    if options.markdown:
        options.markdown.write_text(table(results) + "\n", encoding="utf-8")
    ours = [test for result in results for test in result.ours]
    if ours:
        print("differences that only the sensor makes:\n" + "\n".join(ours), file=sys.stderr)
    return 3 if failed else int(bool(ours))


if __name__ == "__main__":
    sys.exit(main())
