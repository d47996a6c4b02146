"""What a pull request says: evidence, proof, risk, prediction, how to reproduce. Pure text from a job.

Every number comes from a measurement in the job, with its interval. Quoted text (SQL, code) is fenced, so that nothing
in it can mention a person or close an issue.
"""

from __future__ import annotations

from burnish.finding import Interval
from burnish.job import Check, Effect, Job, Outcome, Prediction, Proof, PullRequest
from burnish.markdown import fenced, neutral
from burnish.why import Why

MARKER = "<!-- burnish:v1 id={id} -->"


def body(job: Job, diff: str) -> str:
    """The pull request's text, in Markdown."""
    assert job.change is not None
    assert job.proof is not None
    assert job.prediction is not None
    change, proof = job.change, job.proof
    parts = [
        MARKER.format(id=job.id),
        neutral(change.summary),
        _effects(proof),
        f"**Prediction.** {_prediction(job)}",
        f"**Why it is safe.** {neutral(change.safety)}",
        f"**Risk.** {_risk(job)}",
        "### What production says\n\n" + _evidence(job),
        f"### What was checked{_on(proof)}\n\n" + "\n".join(_check(check) for check in proof.checks),
        _details("Query plan, before and after", _plans(proof)),
        _details("The change", fenced(diff, "diff")),
        _details("How to reproduce", fenced(proof.reproduce or f"burnish prove {job.id}", "sh")),
        "Close this pull request and it will not be proposed again for this code. "
        "After the deployment Burnish measures the function again and writes the verdict here.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict_comment(job: Job) -> str:
    """What production said after the deployment."""
    assert job.verdict is not None
    assert job.prediction is not None
    v, p = job.verdict, job.prediction
    lines = [
        f"### Verdict: {v.outcome.value.replace('_', ' ')}",
        v.sentence,
        "| | promised | measured |\n|---|---|---|\n"
        f"| time per call of `{p.function}` | at least −{p.time_saving.low:.0%} | {percent(v.time_saving)} |\n"
        f"| mean, as measured | | {ms(v.wall_before_ns)} → {ms(v.wall_after_ns)} |\n"
        f"| queries per call | {p.queries_before:.1f} → {p.queries_after:.1f} | "
        f"{v.queries_before:.1f} → {v.queries_after:.1f} |\n"
        f"| calls compared | | {v.calls_before:,} before, {v.calls_after:,} after |",
        f"Release `{v.release_before[:12]}` against `{v.release_after[:12]}`, at the old mix of entries.",
    ]
    if job.revert is not None:
        lines.append(f"A revert is proposed: {job.revert.url}")
    return "\n\n".join(lines) + "\n"


def verdict_sentence(
    outcome: Outcome, saving: Interval, promise: Prediction, drift: Interval | None, more_errors: bool
) -> str:
    """The verdict in one or two sentences, with what was promised."""
    measured = f"measured {saving.value:.0%} less time per call (95 % interval {saving.low:.0%} to {saving.high:.0%})"
    promised = f"at least {promise.time_saving.low:.0%} was promised"
    closing = {
        Outcome.CONFIRMED: "The promise held",
        Outcome.WEAKER: "Faster, but measurably less than promised",
        Outcome.NO_CHANGE: "No measurable change",
        Outcome.WORSE: "Calls fail measurably more often than before" if more_errors else "Slower than before",
        Outcome.INCONCLUSIVE: "Not enough data",
    }[outcome]
    return f"{closing}: {measured}; {promised}.{_drift_sentence(drift)}"


def _drift_sentence(drift: Interval | None) -> str:
    """Only where the rest of the service measurably changed."""
    if drift is None:
        return " The service has no other traffic to compare with."
    if drift.low <= 1 <= drift.high:
        return ""
    change = f"{abs(drift.value - 1):.0%} {'more' if drift.value > 1 else 'less'}"
    return f" Meanwhile the rest of the service took {change} time per call, which is taken out."


def revert_body(job: Job) -> str:
    """Why a merged fix should go."""
    assert isinstance(job.pull_request, PullRequest)
    assert job.verdict is not None
    return "\n\n".join(
        [
            MARKER.format(id=f"revert-{job.id}"),
            f"This reverts pull request {job.pull_request.number} ({job.pull_request.title}).",
            f"**Why.** {job.verdict.sentence}",
            f"Release `{job.verdict.release_before[:12]}` against `{job.verdict.release_after[:12]}`: "
            f"{ms(job.verdict.wall_before_ns)} → {ms(job.verdict.wall_after_ns)} per call, "
            f"{job.verdict.calls_before:,} and {job.verdict.calls_after:,} calls compared.",
        ]
    )


def ms(ns: float) -> str:
    """Nanoseconds as a person reads them."""
    return f"{ns / 1e6:.2f} ms" if ns >= 1e4 else f"{ns / 1e3:.2f} µs"


def percent(saving: Interval) -> str:
    """A saving as a change in time, with its interval."""
    return f"{-saving.value:+.0%} (95 % interval {-saving.high:+.0%} to {-saving.low:+.0%})"


def _effects(proof: Proof) -> str:
    on = f"calls ({proof.replayed})" if proof.calls or proof.generated else "requests"
    rows = [f"| measured on replayed {on} | before | after | change |", "|---|---|---|---|"]
    rows.extend(_effect(effect) for effect in proof.effects)
    return "\n".join(rows) if proof.effects else ""


def _on(proof: Proof) -> str:
    return f", on {proof.replayed}" if proof.replayed else ""


def _effect(e: Effect) -> str:
    known = abs(e.saving.low) < float("inf") and e.saving.n > 1
    change = percent(e.saving) if known else f"{-e.saving.value:+.0%}"
    if e.before == e.after:
        change = "none"
    return f"| {e.what} of `{e.subject}` | {_value(e.before, e.unit)} | {_value(e.after, e.unit)} | {change} |"


def _value(value: float, unit: str) -> str:
    return ms(value) if unit == "ns" else f"{value:,.1f} {unit}".strip()


def _prediction(job: Job) -> str:
    p = job.prediction
    assert p is not None
    per_minute = p.saving_ns_per_minute / 1e9
    queries = f", and {p.queries_before:.1f} → {p.queries_after:.1f} queries per call" if p.queries_before else ""
    return (
        f"In production a call of `{p.function}` takes at least **{p.time_saving.low:.0%}** less time{queries}. "
        f"At {job.finding.calls_per_minute.low:,.0f} calls per minute that is at least {per_minute:.2f} s of the "
        f"service's time in every minute. (Measured saving × {p.transfer:.2f}, the share of such savings that "
        "production has confirmed so far.)"
    )


def _risk(job: Job) -> str:
    assert job.change is not None
    entries = ", ".join(f"`{e.entry}` {e.calls_per_minute:,.0f}/min" for e in job.finding.entries[:5])
    files = ", ".join(f"`{edit.path}`" for edit in job.change.edits)
    migration = " The deployment has to run migrations." if job.change.migration else ""
    text = f"Touches {files}. Reached through {entries or 'no known entry'}.{migration}"
    if job.risk is None:
        return text
    factors = "; ".join(f"{f.name}: {neutral(f.text)}{f' (+{f.points})' if f.points else ''}" for f in job.risk.factors)
    return f"{job.risk.level.capitalize()}. {text}\n\n{factors}."


def _evidence(job: Job) -> str:
    f, e = job.finding, job.finding.evidence
    rate = f.calls_per_minute
    lines = [
        f"- `{f.function}` ({f.file}:{f.line}): {rate.value:,.0f} calls per minute "
        f"(95 % interval {rate.low:,.0f} to {rate.high:,.0f}), {ms(f.wall_ns.value)} per call "
        f"({ms(f.wall_ns.low)} to {ms(f.wall_ns.high)}), in release `{f.release[:12]}`."
    ]
    if e.site:
        lines.append(f"- Issued at {e.site.file}:{e.site.line} in `{e.site.function}`.")
    if e.executions_per_call:
        p90 = f" (p90 {e.executions_p90:.0f})" if e.executions_p90 else ""
        lines.append(f"- {e.executions_per_call:.1f} executions per call{p90}.")
    if e.slope:
        lines.append(
            f"- Executions per row of the query before it: {e.slope.value:.2f} "
            f"({e.slope.low:.2f} to {e.slope.high:.2f}): it grows with the data."
        )
    if e.table:
        lines.append(f"- Table `{e.table}`: {e.table_rows:,} rows, {e.writes_per_minute:,.1f} writes per minute.")
    lines.extend(f"- {neutral(note)}" for note in e.notes)
    if e.statement:
        lines.append("\n" + fenced(e.statement, "sql"))
    return "\n".join(lines)


def _check(check: Check) -> str:
    mark = "x" if check.passed else " "
    return f"- [{mark}] **{check.name}**: {neutral(check.summary)}"


def _plans(proof: Proof) -> str:
    if not proof.plan_after:
        return ""
    before, after = "\n".join(proof.plan_before), "\n".join(proof.plan_after)
    return f"{fenced(before)}\n\n{fenced(after)}"


def _details(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def reason(job: Job) -> str:
    """Why a job ended without a merged fix, as one sentence."""
    sentence = job.why.sentence if isinstance(job.why, Why) else ""
    return f"{sentence} {job.detail}".strip()
