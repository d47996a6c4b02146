"""`burnish why`: why a function or a job was or was not acted on."""

from __future__ import annotations

from argparse import Namespace

from burnish import facts, views
from burnish.commands.lookup import app_of, last_report, named, profile_of, unknown
from burnish.commands.output import output
from burnish.errors import UsageError
from burnish.finding import Passed
from burnish.why import Why


def why(args: Namespace) -> int:
    """`burnish why FUNCTION|JOB`: from the jobs, the last cycle and the dataset."""
    app = app_of(args)
    profile = profile_of(app, None)
    jobs = app.store.jobs()
    by_id = [job for job in jobs if job.id.startswith(args.name)]
    names = sorted({f.function for f in profile.functions} | {job.finding.function for job in jobs})
    name = by_id[0].finding.function if len(by_id) == 1 else named(args.name, names)
    if name is None:
        raise UsageError(unknown(args.name, profile))
    mine = by_id or [job for job in jobs if job.finding.function == name]
    report = last_report(app)
    passed = [p for p in report.passed if p.function == name]
    places = [(i, c) for i, c in enumerate(report.candidates, 1) if c.finding.function == name]
    told = [t for t in report.told if t.finding.function == name]
    if not (mine or passed or places or told):
        passed = [Passed(function=name, by="detectors", why=Why.NOTHING_FOUND)]
    data = {
        "function": name,
        "facts": facts.function_facts(name, profile),
        "jobs": [facts.job_facts(job) for job in mine],
        "candidate": [{"place": place, **facts.candidate_facts(c)} for place, c in places],
        "told": [facts.told_facts(t) for t in told],
        "passed": [facts.passed_facts(p) for p in passed],
    }
    output(args, data, views.why(data))
    return 0
