"""`burnish run`: cycles on schedule, one cycle, or a dry run."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from burnish import facts, views
from burnish.app import App
from burnish.commands.output import output
from burnish.errors import BurnishError, DataError
from burnish.progress import Progress
from burnish.report import Report


def run(args: Namespace) -> int:
    """`burnish run`."""
    progress = Progress(sys.stderr)
    app = App(args.config, begins=progress.begins, ends=progress.ends, checks=progress.checks)
    if args.dry_run:
        return _dry_run(app, args)
    if args.once:
        return _print_report(_cycle(app, scheduled=False), args)
    from burnish.service import serve

    def cycle() -> None:
        try:
            _print_report(_cycle(app, scheduled=True), args)
        except BurnishError as error:  # the next run may find it mended
            print(f"burnish: {error}", file=sys.stderr)

    serve(app.config.schedule, app.store, cycle, lambda: datetime.now(UTC))
    return 0


def _cycle(app: App, *, scheduled: bool) -> Report:
    from burnish.cycle import run_cycle

    with app.store.lease():
        number = app.store.begin_run(scheduled=scheduled)
        try:
            report = run_cycle(app.world, app.jobs)
        except BurnishError as error:
            app.store.end_run(number, Report(problems=(str(error),)).model_dump(mode="json"))
            raise
        app.store.end_run(number, report.model_dump(mode="json"))
        return report


def _dry_run(app: App, args: Namespace) -> int:
    app.runtime.refresh()
    ranking = app.world.assess()
    if ranking is None:
        raise DataError(f"{app.path(app.config.runtime.database)}: there is no runtime data yet")
    if args.dry_run == "scan":
        found = facts.finding_facts(ranking.candidates, ranking.told, ranking.passed, ranking.profile)
        output(args, found, views.findings(ranking.candidates, ranking.told, profile=ranking.profile))
        return 0
    from burnish.cycle import run_cycle
    from burnish.graph import Jobs, local_checkpoints

    say = (lambda text: print(text, file=sys.stderr)) if args.dry_run == "full" else (lambda text: None)
    with tempfile.TemporaryDirectory(prefix="burnish-dry-") as directory:
        world = app.dry(Path(directory), say)
        with (
            closing(world.store),
            closing(Jobs(world, local_checkpoints(Path(directory) / "checkpoints.sqlite3"))) as jobs,
        ):
            return _print_report(run_cycle(world, jobs), args)


def _print_report(report: Report, args: Namespace) -> int:
    output(args, report, views.report(report))
    return 3 if report.problems else 0
