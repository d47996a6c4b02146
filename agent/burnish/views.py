"""Tables for people and plain facts for `--json`, from the models. No decision is made here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table

from burnish.facts import Row, cost_facts, job_facts, left_out_sentence
from burnish.finding import Candidate, Finding, Passed, Told
from burnish.job import Job, Proof
from burnish.profile import Profile
from burnish.pull_request import ms, percent, reason
from burnish.report import Report
from burnish.statements import ServerStatement, covered


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        left = column in {
            "function",
            "kind",
            "statement",
            "key",
            "meaning",
            "why",
            "release",
            "entry",
            "job",
            "verdict",
            "evidence",
            "by",
        }
        prose = column in {"statement", "meaning", "why", "default", "evidence"}
        table.add_column(column, justify="left" if left or prose else "right", no_wrap=not prose, overflow="ellipsis")
    return table


def hotspots(rows: Sequence[Row], profile: Profile) -> RenderableType:
    """The dearest functions."""
    table = _table(
        f"{profile.service} · release {profile.release[:12]} · {profile.observed_seconds:.0f} s observed",
        *("function", "calls/min", "own ms/min", "wall ms/min", "p50", "p99", "queries/min", "errors/min"),
    )
    for r in rows:
        table.add_row(
            r["function"],
            f"{r['calls_per_minute']:,.1f}",
            f"{r['own_ns_per_minute'] / 1e6:,.1f}",
            f"{r['wall_ns_per_minute'] / 1e6:,.1f}",
            ms(r["p50_ns"]),
            ms(r["p99_ns"]),
            f"{r['queries_per_minute']:,.1f}",
            f"{r['errors_per_minute']:,.1f}",
        )
    left_out = left_out_sentence(profile)
    return Group(table, left_out) if left_out else table


def server_statements(rows: Sequence[ServerStatement], everything: Sequence[ServerStatement]) -> RenderableType:
    """What the database counts, and of how much of its time the origin is known."""
    total = sum(one.total_ms for one in everything) or 1.0
    table = _table("As the database counts", "calls/min", "ms each", "of its time", "function", "statement")
    for one in rows:
        rate = "?" if one.calls_per_minute is None else f"{one.calls_per_minute:,.1f}"
        each, share = f"{one.total_ms / max(one.calls, 1):,.2f}", f"{one.total_ms / total:.1%}"
        table.add_row(rate, each, share, "\n".join(one.functions) or "not seen", one.statement)
    known = f"{covered(everything):.0%} of the server's time is in statements that a function of the service sends."
    return Group(table, known)


def findings(
    candidates: Sequence[Candidate],
    told: Sequence[Told] = (),
    passed: Sequence[Passed] = (),
    profile: Profile | None = None,
) -> RenderableType:
    """Candidates in the order of work, what is only told by its cost, what was passed over, and what was not looked at
    of a large profile."""
    parts: list[RenderableType] = []
    if candidates:
        work = _findings("What could be made cheaper, in the order of work", [c.finding for c in candidates])
        parts.append(work)
    if told:
        parts.append(_findings("For people to decide: told and never proposed", [t.finding for t in told]))
    if passed:
        parts.append(_passed(passed))
    if not parts:
        parts.append("Nothing worth doing was found; `burnish why FUNCTION` says why not.")
    left_out = left_out_sentence(profile) if profile else ""
    return Group(*parts, *([left_out] if left_out else []))


def _findings(title: str, found: Sequence[Finding]) -> Table:
    columns = ("", "kind", "function", "s/week", "at least", "queries/min ≥", "evidence")
    table = _table(title, *columns)
    for place, finding in enumerate(found, 1):
        cost = cost_facts(finding)
        table.add_row(
            str(place),
            finding.kind,
            finding.function,
            _number(cost["seconds_per_week"]["value"]),
            _number(cost["seconds_per_week"]["low"]),
            _number(cost["queries_per_minute"]),
            cost["evidence_line"],
        )
    return table


def _number(value: float) -> str:
    """Whole from ten on; an empty cell for nothing."""
    return "" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _passed(passed: Sequence[Passed]) -> Table:
    table = _table("Looked at and left alone", "function", "by", "why")
    for p in passed:
        table.add_row(p.function, p.by, f"{p.why.sentence} {p.detail}".rstrip())
    return table


def jobs(all_jobs: Sequence[Job]) -> RenderableType:
    """Every job."""
    table = _table("Jobs", "job", "state", "step", "kind", "function", "why")
    for job in all_jobs:
        r = job_facts(job)
        table.add_row(r["id"][:8], r["state"], r["step"], r["kind"], r["function"], r["sentence"])
    return table if all_jobs else "No job yet; `burnish run --once` starts a cycle."


def job_text(job: Job) -> str:
    """A job that has no pull request, as text."""
    lines = [f"job {job.id}: {job.finding.kind} in {job.finding.function}", f"{job.state.value} at {job.step.value}"]
    if job.why:
        lines.append(f"why: {reason(job)}")
    if job.proof:
        lines += [f"  [{'x' if check.passed else ' '}] {check.name}: {check.summary}" for check in job.proof.checks]
    return "\n".join(lines)


def proof(seen: Proof) -> RenderableType:
    """The checks of a proof and what was measured."""
    lines = [f"[{'x' if c.passed else ' '}] {c.name}: {c.summary}" for c in seen.checks]
    lines += [f"    {e.what} of {e.subject}: {percent(e.saving)}" for e in seen.effects if e.saving.n > 1]
    return Group(*lines, "proven" if seen.proven else "not proven")


def outcomes(judged: Sequence[Job]) -> RenderableType:
    """Every merged fix and its verdict."""
    columns = ("function", "kind", "promised", "measured", "before", "after", "verdict", "rank")
    table = _table("Predicted against measured", *columns)
    for job in judged:
        assert job.verdict is not None
        assert job.prediction is not None
        v = job.verdict
        table.add_row(
            job.finding.function,
            job.finding.kind,
            f"≥ −{job.prediction.time_saving.low:.0%}",
            percent(v.time_saving),
            ms(v.wall_before_ns),
            ms(v.wall_after_ns),
            v.outcome.value,
            f"{v.rank_before} → {v.rank_after or 'none'}",
        )
    return table if judged else "No merged fix has been judged yet."


def why(data: Row) -> RenderableType:
    """Everything that was decided about a function."""
    facts = data["facts"]
    lines = [data["function"]]
    if facts:
        wall = facts["wall_ns"]
        lines.append(
            f"  {facts['calls_per_minute']:,.1f} calls per minute, mean {ms(wall['mean'])}, p99 {ms(wall['p99'])}"
        )
    for job in data["jobs"]:
        lines.append(f"  job {job['id'][:8]} ({job['kind']}): {job['state']} at {job['step']}. {job['sentence']}")
    for c in data["candidate"]:
        saving = c["saving_ns_per_minute"] / 1e6
        lines.append(
            f"  candidate {c['place']} of the last cycle ({c['finding']['kind']}): saves ≥ {saving:,.1f} ms/min"
        )
    for t in data["told"]:
        week = t["seconds_per_week"]["low"]
        lines.append(
            f"  told ({t['finding']['kind']}): ≥ {week:,.0f} s per week. {t['sentence']} {t['detail']}".rstrip()
        )
    lines += [f"  {p['by']}: {p['sentence']} {p['detail']}".rstrip() for p in data["passed"]]
    return "\n".join(lines)


def report(seen: Report) -> RenderableType:
    """What a cycle did."""
    lines = [f"{seen.windows} new windows, {len(seen.candidates)} candidates in release {seen.release[:12] or 'none'}"]
    for job in (*seen.went_on, *seen.started):
        text = reason(job) if job.why else (job.verdict.sentence if job.verdict else "")
        number = f" pull request {job.pull_request.number}" if job.pull_request else ""
        lines.append(f"  {job.id[:8]} {job.finding.kind} in {job.finding.function}: {job.state.value}{number}. {text}")
    lines += [f"  problem: {problem}" for problem in seen.problems]
    if not (seen.went_on or seen.started or seen.problems):
        lines.append("  nothing to do")
    return "\n".join(lines)


def settings(rows: Sequence[Row]) -> RenderableType:
    """Every setting."""
    table = _table("Settings", "key", "default", "meaning")
    for r in rows:
        table.add_row(f"{r['section']}.{r['key']}".strip("."), r["default"], r["meaning"])
    return table


def _when(unix_ns: int) -> str:
    return datetime.fromtimestamp(unix_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
