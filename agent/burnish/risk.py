"""How likely a change is to surprise somebody, from what was verified and not from taste.

Points are added for what makes a surprise likelier; the sum gives the level. Large changes, recent churn and how many
people changed a file are what predicts faults best in the studies of change-level prediction (Kamei et al. 2013, "A
large-scale empirical study of just-in-time quality assurance"); the weights here are ours, and all are told in the pull
request. What somebody has written down as needed, in a comment or in a commit, is no matter of points: it is left.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from pydantic import Field

from burnish.finding import Model
from burnish.job import Change, Factor, FileEdit, Job, Risk
from burnish.profile import FunctionStats
from burnish.settings import Section

LEVELS = ("low", "medium", "high")
NEEDED = (
    r"do not|don't|must (?:not|stay|re-?read|read|be read|see)|workaround|on purpose|purposely|deliberate(?:ly)?"
    r"|intentional(?:ly)?|load-bearing"
)
"""Words with which people say that code is there for a reason that it does not show."""
ENOUGH = 20
"""Replayed inputs from which old and new have met variety; the least that the proof's sample aims at."""
_NEEDED = re.compile(rf"\b({NEEDED})\b", re.IGNORECASE)
_REVERT = re.compile(r"^(revert\b|roll(ed|ing)? ?back\b|back(ed)? out\b)", re.IGNORECASE)


class Past(Model):
    """A commit that touched the lines of a change."""

    commit: str
    unix: float
    author: str
    subject: str


class History(Model):
    """What git knows of the lines that a change touches, newest first. `read` False: it could not be found out."""

    commits: tuple[Past, ...] = ()
    read: bool = True


class RiskSettings(Section):
    """When a proven change is still not proposed."""

    most: str = Field("medium", pattern=f"^({'|'.join(LEVELS)})$")
    """Highest level of risk that is proposed: `low`, `medium` or `high`. What is above ends with its points told."""
    small_lines: int = Field(10, ge=1)
    """Changed lines up to which a change can be taken in at a glance; it costs a point beyond, and one more beyond
    three times as many. Review finds fewer faults the larger the diff."""
    many_entries: int = Field(5, ge=1)
    """Entries through which production reaches the function, beyond which one point is added."""
    many_callers: int = Field(5, ge=1)
    """Functions that call it, beyond which one point is added."""
    busy_calls_per_minute: float = Field(10_000.0, ge=0)
    """Calls a minute from which a mistake would be everywhere at once: one point."""
    churn_days: float = Field(30.0, ge=0)
    """Two or more commits on these lines in so many days cost a point: somebody is at work there."""
    error_rate: float = Field(0.01, ge=0, le=1)
    """Share of calls that raise from which a point is added: the function has paths that a replay may not have seen."""


def changed_ranges(edit: FileEdit) -> Iterator[tuple[int, int]]:
    """First and last line (from 1) in the old text of each changed place; of added lines, the line before them."""
    before, after = (edit.before or "").splitlines(), edit.after.splitlines()
    for tag, start, end, *_ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal" and before:
            yield (start + 1, end) if end > start else (max(start, 1), max(start, 1))


def changed_lines(change: Change) -> int:
    """Lines added plus lines removed in files that were there before."""
    pairs = [((e.before or "").splitlines(), e.after.splitlines()) for e in change.edits if e.before is not None]
    return sum(1 for old, new in pairs for line in difflib.ndiff(old, new) if line[:2] in ("+ ", "- "))


def load_bearing(history: History) -> str:
    """What a commit says about these lines that makes them no candidate; empty where none does."""
    for past in history.commits:
        if _REVERT.match(past.subject):
            return f"{past.commit[:10]} took back a change of these lines: {past.subject}"
        if _NEEDED.search(past.subject):
            return f"{past.commit[:10]} says of these lines: {past.subject}"
    return ""


def assess(job: Job, history: History, stats: FunctionStats | None, now_unix: float, settings: RiskSettings) -> Risk:
    """The level, with every factor that was looked at. The job has its change and its proof."""
    factors = tuple(_factors(job, history, stats, now_unix, settings))
    points = sum(factor.points for factor in factors)
    return Risk(level=LEVELS[0 if points <= 2 else 1 if points <= 4 else 2], factors=factors)


def _factors(
    job: Job, history: History, stats: FunctionStats | None, now_unix: float, settings: RiskSettings
) -> Iterator[Factor]:
    assert job.change is not None
    yield _reach(job, stats, settings)
    yield _size(job.change, settings)
    yield _edit(job)
    yield _verified(job)
    yield _past(history, now_unix, settings)
    if stats is not None and stats.calls:
        rate = sum(stats.errors.values()) / stats.calls
        yield Factor(name="errors", points=int(rate >= settings.error_rate), text=f"{rate:.1%} of its calls raise")


def _reach(job: Job, stats: FunctionStats | None, settings: RiskSettings) -> Factor:
    finding, callers = job.finding, len([c for c in stats.callers if c]) if stats else 0
    entries, rate = len(finding.entries), finding.calls_per_minute.value
    points = (entries > settings.many_entries) + (callers > settings.many_callers)
    points += rate >= settings.busy_calls_per_minute
    known = f"{_many(entries, 'entry', 'entries')}, {_many(callers, 'caller', 'callers')}"
    return Factor(name="reach", points=points, text=f"{known}, {rate:,.0f} calls a minute")


def _size(change: Change, settings: RiskSettings) -> Factor:
    lines, files = changed_lines(change), len(change.edits)
    points = (lines > settings.small_lines) + (lines > 3 * settings.small_lines)
    return Factor(
        name="size", points=points, text=f"{_many(lines, 'line', 'lines')} in {_many(files, 'file', 'files')}"
    )


def _edit(job: Job) -> Factor:
    assert job.change is not None
    points, text = (2, "written by a model") if job.recipe == "model" else (0, f"the recipe {job.recipe}")
    if job.change.migration:
        points, text = points + 2, f"{text}, with a migration that the deployment has to run"
    return Factor(name="kind of edit", points=points, text=text)


def _verified(job: Job) -> Factor:
    proof = job.proof
    inputs, text = (proof.requests + proof.calls, proof.replayed) if proof else (0, "")
    points = 0 if inputs >= ENOUGH else 1 if inputs >= ENOUGH / 4 else 2
    return Factor(name="verified", points=points, text=f"{text or 'nothing'} replayed")


def _past(history: History, now_unix: float, settings: RiskSettings) -> Factor:
    if not history.read:
        return Factor(name="history", points=1, text="git's history of these lines could not be read")
    recent = [past for past in history.commits if now_unix - past.unix <= settings.churn_days * 86_400]
    if not history.commits:
        return Factor(name="history", points=0, text="no commit on these lines before")
    age = max(now_unix - history.commits[0].unix, 0.0) / 86_400
    authors = len({past.author for past in history.commits})
    lately = f"{_many(len(recent), 'commit', 'commits')} in {settings.churn_days:.0f} days"
    text = f"last changed {age:,.0f} days ago, {lately}, {_many(authors, 'author', 'authors')}"
    return Factor(name="history", points=int(len(recent) >= 2), text=text)


def _many(n: int, one: str, more: str) -> str:
    return f"{n:,} {one if n == 1 else more}"
