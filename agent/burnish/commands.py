"""What each command does: one function a command, from arguments to an exit code. Tables are in `burnish.views`."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console, RenderableType

from burnish import facts, views
from burnish.app import App, config_type
from burnish.configfile import described
from burnish.errors import BurnishError, DataError, UsageError
from burnish.job import Candidate, Job, Passed, State
from burnish.profile import Profile
from burnish.progress import Progress
from burnish.pull_request import body as pull_request_body
from burnish.report import Report
from burnish.why import Why

PIPED_WIDTH = 180
"""Columns of a table that goes to a file or a pipe."""


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
        _print(args, [_candidate(c) for c in ranking.candidates], views.findings(ranking.candidates))
        return 0
    from burnish.cycle import run_cycle
    from burnish.graph import Jobs

    say = (lambda text: print(text, file=sys.stderr)) if args.dry_run == "full" else (lambda text: None)
    with tempfile.TemporaryDirectory(prefix="burnish-dry-") as directory:
        world = app.dry(Path(directory), say)
        with closing(world.store), closing(Jobs(world, Path(directory) / "checkpoints.sqlite3")) as jobs:
            return _print_report(run_cycle(world, jobs), args)


def _print_report(report: Report, args: Namespace) -> int:
    _print(args, report, views.report(report))
    return 3 if report.problems else 0


def hotspots(args: Namespace) -> int:
    """`burnish hotspots`."""
    profile = _profile(_app(args), args.release)
    rows = facts.hot_rows(profile, args.by)[: args.top]
    _print(args, rows, views.hotspots(rows, profile))
    return 0


def findings(args: Namespace) -> int:
    """`burnish findings`."""
    app = _app(args)
    _profile(app, args.release)
    ranking = app.world.assess(args.release)
    assert ranking is not None
    _print(args, [_candidate(c) for c in ranking.candidates], views.findings(ranking.candidates))
    return 0


def function(args: Namespace) -> int:
    """`burnish function NAME`."""
    app = _app(args)
    profile = _profile(app, None)
    profiles = [p for r in app.runtime.releases() if (p := app.runtime.profile(r.name)) is not None]
    name = _named(args.name, sorted({f.function for p in profiles for f in p.functions}))
    if name is None:
        raise UsageError(_unknown(args.name, profile))
    seen = [fact for p in profiles if (fact := facts.function_facts(name, p))]
    _print(args, seen, views.function(name, seen))
    return 0


def releases(args: Namespace) -> int:
    """`burnish releases`."""
    app = _app(args)
    _profile(app, None)
    seen = app.runtime.releases()
    _print(args, list(seen), views.releases(seen))
    return 0


def why(args: Namespace) -> int:
    """`burnish why FUNCTION|JOB`: from the jobs, the last cycle and the dataset."""
    app = _app(args)
    profile = _profile(app, None)
    jobs = app.store.jobs()
    by_id = [job for job in jobs if job.id.startswith(args.name)]
    names = sorted({f.function for f in profile.functions} | {job.finding.function for job in jobs})
    name = by_id[0].finding.function if len(by_id) == 1 else _named(args.name, names)
    if name is None:
        raise UsageError(_unknown(args.name, profile))
    mine = by_id or [job for job in jobs if job.finding.function == name]
    report = _last_report(app)
    passed = [p for p in report.passed if p.function == name]
    places = [(i, c) for i, c in enumerate(report.candidates, 1) if c.finding.function == name]
    if not (mine or passed or places):
        passed = [Passed(function=name, by="detectors", why=Why.NOTHING_FOUND)]
    data = {
        "function": name,
        "facts": facts.function_facts(name, profile),
        "jobs": [facts.job_facts(job) for job in mine],
        "candidate": [{"place": place, **_candidate(c)} for place, c in places],
        "passed": [{**p.model_dump(mode="json"), "sentence": p.why.sentence} for p in passed],
    }
    _print(args, data, views.why(data))
    return 0


def jobs(args: Namespace) -> int:
    """`burnish jobs`."""
    all_jobs = _app(args).store.jobs()
    _print(args, [facts.job_facts(job) for job in all_jobs], views.jobs(all_jobs))
    return 0


def show(args: Namespace) -> int:
    """`burnish show JOB`."""
    app = _app(args)
    job = _job(app, args.job)
    text = views.job_text(job)
    if job.pull_request is not None and app.config.forge.kind == "local":
        text = app.local_forge.body(job.pull_request.number)
        text += "".join(f"\n---\n\n{comment}" for _, comment in app.local_forge.comments(job.pull_request.number))
    elif job.change is not None and job.prediction is not None:
        text = pull_request_body(job, app.workspace.diff(job.change))
    if args.json:
        _print(args, job, "")
    else:
        print(text)
    return 0


def approve(args: Namespace) -> int:
    """`burnish approve JOB`."""
    app = _app(args)
    job = _job(app, args.job)
    merged = app.local_forge.approve(_number(job))
    _print(args, merged, f"merged {merged.title!r} as {merged.merge_commit[:12]}; deploy it, and the verdict follows")
    return 0


def refuse(args: Namespace) -> int:
    """`burnish refuse JOB`."""
    app = _app(args)
    job = _job(app, args.job)
    closed = app.local_forge.refuse(_number(job), args.reason)
    _print(args, closed, f"closed {closed.title!r}; it is not proposed again for this code")
    return 0


def outcomes(args: Namespace) -> int:
    """`burnish outcomes`."""
    judged = [job for job in _app(args).store.jobs() if job.verdict is not None and job.state is State.DONE]
    _print(args, [facts.outcome_facts(job) for job in judged], views.outcomes(judged))
    return 0


def prove(args: Namespace) -> int:
    """`burnish prove JOB`: the reproduction that each pull request names."""
    progress = Progress(sys.stderr)
    app = App(args.config, checks=progress.checks)
    job = _job(app, args.job)
    if job.change is None:
        raise UsageError(f"job {job.id} has no edit to prove: it ended at {job.step.value}")
    app.workspace.head()
    proof = app.prover.prove(job)
    _print(args, proof, views.proof(proof))
    return 0 if proof.proven else 1


def config(args: Namespace) -> int:
    """`burnish config check|describe`."""
    if args.what == "describe":
        rows = [
            {"section": section, "key": key, "default": str(default), "meaning": text}
            for section, key, default, text in described(config_type())
        ]
        _print(args, rows, views.settings(rows))
        return 0
    loaded = _app(args).config
    _print(args, loaded, f"{args.config}: valid")
    return 0


# ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _app(args: Namespace) -> App:
    return App(args.config)


def _profile(app: App, release: str | None) -> Profile:
    app.runtime.refresh()
    profile = app.runtime.profile(release)
    if profile is None:
        if release is not None and app.runtime.releases():
            known = ", ".join(r.name[:12] for r in app.runtime.releases()[-5:])
            raise UsageError(f"release {release!r} is not in the data; the newest are {known}")
        raise DataError(
            f"{app.path(app.config.runtime.database)}: there is no runtime data of service "
            f"{app.config.service.name!r} in {app.config.service.environment!r} yet; "
            f"run it with the sensor, which writes to {app.path(app.config.runtime.windows)}"
        )
    return profile


def _last_report(app: App) -> Report:
    """What the last cycle said; what a cycle would say now, where none has run."""
    last = app.store.last_run()
    if last is not None:
        return Report.model_validate(last.report)
    ranking = app.world.assess()
    return Report(candidates=ranking.candidates, passed=ranking.passed) if ranking else Report()


def _job(app: App, text: str) -> Job:
    job = app.store.job(text)
    if job is None:
        known = ", ".join(j.id for j in app.store.jobs()[-5:]) or "none yet"
        raise UsageError(f"no single job has an id that begins with {text!r}; the newest: {known}")
    return job


def _number(job: Job) -> int:
    if job.pull_request is None:
        raise UsageError(f"job {job.id} has no pull request: it is at {job.step.value} ({job.state.value})")
    return job.pull_request.number


def _named(text: str, names: Sequence[str]) -> str | None:
    """The function of that name, or the only one that ends with it."""
    if text in names:
        return text
    ending = [name for name in names if name.endswith((f":{text}", f".{text}"))]
    if len(ending) > 1:
        raise UsageError(f"{text!r} is ambiguous: {', '.join(ending)}")
    return ending[0] if ending else None


def _unknown(text: str, profile: Profile) -> str:
    import difflib

    names = [f.function for f in profile.functions]
    close = difflib.get_close_matches(text, names, n=3, cutoff=0.4)
    mend = f"; did you mean {', '.join(close)}?" if close else "; `burnish hotspots --by calls` lists what ran"
    return f"no function or job {text!r} in the data of release {profile.release[:12]}{mend}"


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {**candidate.model_dump(mode="json"), "score": candidate.score}


def _print(args: Namespace, data: object, text: RenderableType) -> None:
    if args.json:
        print(json.dumps(_plain(data), indent=2, ensure_ascii=False))
    else:
        terminal = Console()
        console = terminal if terminal.is_terminal else Console(width=PIPED_WIDTH)
        console.print(text, highlight=False, markup=False)


def _plain(data: object) -> Any:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data
