"""`burnish jobs`, `show`, `approve`, `refuse`, `outcomes` and `prove`: the lead's desk."""

from __future__ import annotations

import sys
from argparse import Namespace

from burnish import facts, views
from burnish.app import App
from burnish.commands.lookup import app_of, job_of, number_of
from burnish.commands.output import output
from burnish.errors import UsageError
from burnish.job import State
from burnish.progress import Progress
from burnish.pull_request import body as pull_request_body


def jobs(args: Namespace) -> int:
    """`burnish jobs`."""
    all_jobs = app_of(args).store.jobs()
    output(args, [facts.job_facts(job) for job in all_jobs], views.jobs(all_jobs))
    return 0


def show(args: Namespace) -> int:
    """`burnish show JOB`."""
    app = app_of(args)
    job = job_of(app, args.job)
    text = views.job_text(job)
    if job.pull_request is not None and app.config.forge.kind == "local":
        text = app.local_forge.body(job.pull_request.number)
        text += "".join(f"\n---\n\n{comment}" for _, comment in app.local_forge.comments(job.pull_request.number))
    elif job.change is not None and job.prediction is not None:
        text = pull_request_body(job, app.workspace.diff(job.change))
    if args.json:
        output(args, job, "")
    else:
        print(text)
    return 0


def approve(args: Namespace) -> int:
    """`burnish approve JOB`."""
    app = app_of(args)
    job = job_of(app, args.job)
    merged = app.local_forge.approve(number_of(job))
    output(args, merged, f"merged {merged.title!r} as {merged.merge_commit[:12]}; deploy it, and the verdict follows")
    return 0


def refuse(args: Namespace) -> int:
    """`burnish refuse JOB`."""
    app = app_of(args)
    job = job_of(app, args.job)
    closed = app.local_forge.refuse(number_of(job), args.reason)
    output(args, closed, f"closed {closed.title!r}; it is not proposed again for this code")
    return 0


def outcomes(args: Namespace) -> int:
    """`burnish outcomes`."""
    judged = [job for job in app_of(args).store.jobs() if job.verdict is not None and job.state is State.DONE]
    output(args, [facts.outcome_facts(job) for job in judged], views.outcomes(judged))
    return 0


def prove(args: Namespace) -> int:
    """`burnish prove JOB`: the reproduction that each pull request names."""
    progress = Progress(sys.stderr)
    app = App(args.config, checks=progress.checks)
    job = job_of(app, args.job)
    if job.change is None:
        raise UsageError(f"job {job.id} has no edit to prove: it ended at {job.step.value}")
    app.workspace.head()
    proof = app.prover.prove(job)
    output(args, proof, views.proof(proof))
    return 0 if proof.proven else 1
