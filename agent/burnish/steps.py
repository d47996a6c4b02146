"""The steps of a job, in order, as plain functions from a job to the job after it.

    plan → edit → prove → open_pull_request → await_merge → await_deploy → compare → learn

Each step may be run again after a crash: it reads the world, does what is still to be done, and returns the next job.
A job that cannot go on ends with a `Why`; what fails outside raises `Unavailable` and is tried in a later cycle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from burnish import compare as comparison
from burnish import pools, risk
from burnish.finding import Interval
from burnish.job import Change, Declined, Job, Outcome, Prediction, Proof, PullRequest, State, Step, Verdict
from burnish.plan import choose, edited
from burnish.pull_request import body, revert_body, verdict_comment, verdict_sentence
from burnish.why import Why
from burnish.world import World

DAY = 86_400.0


def plan(job: Job, world: World) -> Job:
    """Which recipe answers the finding at this commit, or why none does."""
    choice = choose(job, world)
    if isinstance(choice, Declined):
        return declined(job, choice)
    return job.model_copy(update={"recipe": choice, "step": Step.EDIT})


def edit(job: Job, world: World) -> Job:
    """The edit, as data."""
    change = edited(job, world)
    if isinstance(change, Declined):
        return declined(job, change)
    return job.model_copy(update={"change": change, "step": Step.PROVE})


def prove(job: Job, world: World) -> Job:
    """Every check of the proof, up to the first that says no; then the promise for production."""
    assert job.change is not None
    history = world.workspace.history(job.base, job.change)
    if said := risk.load_bearing(history):
        return declined(job, Declined(why=Why.LOAD_BEARING, detail=said))
    proof = world.prover.prove(job)
    job = job.model_copy(update={"proof": proof, "change": job.change.with_tests(proof.attached)})
    failure = proof.failure
    if failure is not None or not proof.proven:
        why = failure.why if failure and failure.why else Why.NOT_FASTER
        return declined(job, Declined(why=why, detail=failure.summary if failure else "the proof has no check"))
    prediction = predicted(job, proof, world.priors().transfer)
    if prediction is None:
        return declined(job, Declined(why=Why.NOT_FASTER, detail="the proof measured no time of the function"))
    excerpt = world.runtime.excerpt(job.finding.function)
    stats = excerpt.function(job.finding.function) if excerpt else None
    assessed = risk.assess(job, history, stats, world.clock.now(), world.risk)
    job = job.model_copy(update={"prediction": prediction, "risk": assessed})
    if risk.LEVELS.index(assessed.level) > risk.LEVELS.index(world.risk.most):
        counted = "; ".join(f"{factor.name}: {factor.text}" for factor in assessed.factors if factor.points)
        return declined(job, Declined(why=Why.TOO_RISKY, detail=f"{assessed.level}: {counted}"))
    return job.model_copy(update={"step": Step.OPEN_PULL_REQUEST})


def open_pull_request(job: Job, world: World) -> Job:
    """Looks at the world again, pushes the branch, opens the pull request; none of it twice."""
    assert job.change is not None
    branch = branch_of(job)
    opened = world.forge.find(branch)
    if opened is None:
        head = world.workspace.head()
        if head != job.base:
            return restarted(job, head)
        world.workspace.publish(job.base, job.change, branch, commit_message(job))
        opened = world.forge.open(branch, job.change.title, body(job, world.workspace.diff(job.change)))
    return job.model_copy(update={"pull_request": opened, "step": Step.AWAIT_MERGE, "state": State.WAITING})


def merge_news(job: Job, world: World) -> PullRequest | None:
    """The pull request once a person has decided; None while it is open."""
    assert job.pull_request is not None
    seen = world.forge.get(job.pull_request.number)
    return None if seen.state == "open" else seen


def await_merge(job: Job, news: Mapping[str, Any]) -> Job:
    """A person merged or closed it."""
    seen = PullRequest.model_validate(news)
    job = job.model_copy(update={"pull_request": seen})
    if seen.state != "merged":
        return declined(job, Declined(why=Why.CLOSED_BY_PERSON, detail=seen.reason or "closed without a reason"))
    return job.model_copy(update={"step": Step.AWAIT_DEPLOY})


def deploy_news(job: Job, world: World) -> str | None:
    """The release with which the merged fix has been observed long enough; None until there is one. Where releases
    follow each other quickly, all that have the fix count together."""
    grown = list(pools.with_fix(job, world))
    for n, releases in enumerate(grown, 1):
        if n & (n - 1) and n < len(grown):
            continue  # 1, 2, 4 … releases, and all: reading them grows with their number
        ran = max(r.last_unix_ns for r in releases) - releases[0].first_unix_ns
        seconds = ran / 1e9 - world.verdicts.warmup_seconds
        enough = seconds >= world.verdicts.settle_seconds and not pools.measured(job, releases, world).missing
        if enough or seconds >= world.verdicts.patience_days * DAY:
            return releases[-1].name
    return None


def await_deploy(job: Job, news: Mapping[str, Any]) -> Job:
    """It runs in production and has been observed."""
    return job.model_copy(update={"deployed": str(news["release"]), "step": Step.COMPARE, "state": State.RUNNING})


def compare(job: Job, world: World) -> Job:
    """Predicted against measured."""
    assert job.prediction is not None
    release = job.deployed
    grown = list(pools.with_fix(job, world, release))
    if not grown:
        verdict = inconclusive(job, f"release {release} is no longer in the data")
        return job.model_copy(update={"verdict": verdict, "step": Step.LEARN})
    names = [one.name for one in grown[-1]]
    measured = pools.measured(job, grown[-1], world)
    if measured.missing:
        verdict = inconclusive(job, measured.missing)
        return job.model_copy(update={"verdict": verdict, "step": Step.LEARN})
    saving, drift = measured.saving(), measured.drift()
    worse = comparison.errors_rose(*(pools.errors(job, side, world) for side in (pools.without_fix(job, world), names)))
    outcome = comparison.outcome(saving, job.prediction, world.verdicts, worse)
    wall_before, wall_after = measured.means()
    now = world.assess(release)
    stats = now.profile.function(job.finding.function) if now else None
    calls_per_minute = stats.calls / now.profile.minutes if now and stats else 0.0
    verdict = Verdict(
        outcome=outcome,
        release_before=job.finding.release,
        release_after=release,
        releases_after=tuple(names) if len(names) > 1 else (),
        time_saving=saving,
        drift=drift,
        wall_before_ns=wall_before,
        wall_after_ns=wall_after,
        calls_before=measured.before.calls,
        calls_after=measured.after.calls,
        queries_before=measured.before.queries,
        queries_after=measured.after.queries,
        saving_ns_per_minute=saving.low * wall_before * calls_per_minute,
        rank_before=job.rank,
        rank_after=now.place(job.finding.function) if now else 0,
        sentence=verdict_sentence(outcome, saving, job.prediction, drift, worse),
    )
    return job.model_copy(update={"verdict": verdict, "step": Step.LEARN})


def learn(job: Job, world: World) -> Job:
    """Writes the verdict where people look, proposes the revert of a fix that made things worse, closes the job.

    The priors are a function of the finished jobs (`burnish.backlog.learnt`), so closing the job is what moves them.
    """
    opened = job.pull_request
    assert opened is not None
    assert job.verdict is not None
    if job.verdict.outcome is Outcome.WORSE and job.revert is None:
        job = job.model_copy(update={"revert": _open_revert(job, world)})
    world.forge.comment(opened.number, "verdict", verdict_comment(job))
    return job.model_copy(update={"state": State.DONE})


# ── shared by the steps ──────────────────────────────────────────────────────────────────────────────────────────────


def declined(job: Job, reason: Declined) -> Job:
    """The job ends here, with its reason."""
    return job.model_copy(update={"state": State.DECLINED, "why": reason.why, "detail": reason.detail})


def inconclusive(job: Job, missing: str) -> Verdict:
    """The verdict where production did not say enough in all the time it was given."""
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        release_before=job.finding.release,
        release_after=job.deployed,
        time_saving=Interval(value=0, low=-1, high=1, n=0),
        wall_before_ns=0,
        wall_after_ns=0,
        calls_before=0,
        calls_after=0,
        queries_before=0,
        queries_after=0,
        saving_ns_per_minute=0,
        rank_before=job.rank,
        rank_after=0,
        sentence=f"No verdict: {missing}.",
    )


def restarted(job: Job, base: str) -> Job:
    """The base branch has moved on: everything measured on the old base is measured again on the new one."""
    fresh = {"change": None, "proof": None, "prediction": None, "recipe": "", "step": Step.PLAN, "base": base}
    return job.model_copy(update=fresh)


def predicted(job: Job, proof: Proof, transfer: float) -> Prediction | None:
    """What the proof promises for production: the measured saving, times what production has confirmed so far."""
    time = next((e for e in proof.effects if e.what == "time" and e.subject == job.finding.function), None)
    if time is None:
        return None
    queries = next((e for e in proof.effects if e.what == "queries" and e.subject == job.finding.function), None)
    saving = time.saving
    scaled = Interval(value=saving.value * transfer, low=saving.low * transfer, high=min(saving.high, 1.0), n=saving.n)
    return Prediction(
        function=job.finding.function,
        time_saving=scaled,
        queries_before=queries.before if queries else 0.0,
        queries_after=queries.after if queries else 0.0,
        saving_ns_per_minute=max(job.finding.calls_per_minute.low, 0) * max(job.finding.wall_ns.low, 0) * scaled.low,
        transfer=transfer,
    )


def branch_of(job: Job) -> str:
    """`burnish/<recipe>-<function>-<8 hex of the fingerprint>`: the pull request's identity."""
    slug = re.sub(r"[^a-z0-9]+", "-", job.finding.function.split(":")[-1].lower()).strip("-")[:40]
    return f"burnish/{job.recipe.replace('_', '-')}-{slug}-{job.id[:8]}"


def commit_message(job: Job) -> str:
    """Subject, what and why, and the trailer by which the commit is known as Burnish's."""
    assert isinstance(job.change, Change)
    return f"{job.change.title}\n\n{job.change.summary}\n\n{job.change.safety}\n\nBurnish-Job: {job.id}\n"


def _open_revert(job: Job, world: World) -> PullRequest:
    assert job.pull_request is not None
    branch = f"burnish/revert-{job.id[:8]}"
    opened = world.forge.find(branch)
    if opened is not None:
        return opened
    title = f'Revert "{job.pull_request.title}"'
    world.workspace.publish_revert(
        job.pull_request.merge_commit, branch, f"{title}\n\n{job.verdict.sentence if job.verdict else ''}\n"
    )
    return world.forge.open(branch, title, revert_body(job))


STEPS: Mapping[Step, Callable[..., Job]] = {
    Step.PLAN: plan,
    Step.EDIT: edit,
    Step.PROVE: prove,
    Step.OPEN_PULL_REQUEST: open_pull_request,
    Step.AWAIT_MERGE: await_merge,
    Step.AWAIT_DEPLOY: await_deploy,
    Step.COMPARE: compare,
    Step.LEARN: learn,
}
"""In order. The waiting steps take the news that ended the wait; the others take the world."""
NEWS: Mapping[Step, Callable[[Job, World], PullRequest | str | None]] = {
    Step.AWAIT_MERGE: merge_news,
    Step.AWAIT_DEPLOY: deploy_news,
}
"""What a waiting job waits for."""
