"""What Burnish does about a finding, as values: frozen models, nothing else.

    Finding  ──rank──▶  Candidate  ──plan──▶  Job(plan, change, proof, pull request, verdict)

Findings and candidates are in `burnish.finding`. Shares are 0–1.
"""

from __future__ import annotations

from enum import Enum

from burnish.finding import Candidate, Finding, Interval, Model
from burnish.why import Why


class FileEdit(Model):
    """One file of a change; `before` is None for a new file. Text with `\\n` line ends as in the repository."""

    path: str
    before: str | None
    after: str


class Change(Model):
    """An edit as data, made at one commit."""

    recipe: str
    title: str
    """Imperative, at most 72 characters: the commit's subject and the pull request's title."""
    summary: str
    """What the edit does, one or two sentences."""
    safety: str
    """Why the result stays the same."""
    edits: tuple[FileEdit, ...]
    functions: tuple[str, ...] = ()
    """`module:Qualified.name` of every function that the edit touches."""
    migration: bool = False
    """True where the database schema changes and the deployment has to run migrations."""

    def with_tests(self, tests: tuple[FileEdit, ...]) -> Change:
        """With files that a proof has written; doing it again changes nothing."""
        return self.model_copy(update={"edits": (*self.without_tests(tests).edits, *tests)}) if tests else self

    def without_tests(self, tests: tuple[FileEdit, ...]) -> Change:
        """What was to be proven."""
        paths = {edit.path for edit in tests}
        return self.model_copy(update={"edits": tuple(edit for edit in self.edits if edit.path not in paths)})


class Declined(Model):
    """A recipe's or the model's answer when it is not sure."""

    why: Why
    detail: str = ""


class Check(Model):
    """One check of a proof. `passed` False ends the job."""

    name: str
    passed: bool
    summary: str
    why: Why | None = None
    detail: tuple[str, ...] = ()


class Effect(Model):
    """Old against new, as measured. `saving` is 1 − new/old with its interval; negative is slower."""

    what: str
    """`time`, `queries`, `peak_memory`"""
    subject: str
    """The function or entry that was measured."""
    unit: str
    before: float
    after: float
    saving: Interval


class Prediction(Model):
    """What the pull request promises for production, written before it is opened."""

    function: str
    time_saving: Interval
    """Share of the function's wall time per call that goes away; `low` is the promise."""
    queries_before: float
    queries_after: float
    saving_ns_per_minute: float
    """calls/min × wall time × `time_saving.low`"""
    transfer: float
    """Share of a benchmark's saving that production has confirmed so far; part of `time_saving.low`."""


class Proof(Model):
    """Everything that was checked, in order; proven when every check passed."""

    checks: tuple[Check, ...]
    effects: tuple[Effect, ...] = ()
    reproduce: str = ""
    """One command that does it again."""
    requests: int = 0
    """Recorded requests that were replayed on both sides."""
    calls: int = 0
    """Distinct calls of the function, captured from the service's own tests, that were replayed on both sides."""
    tests: int = 0
    """Tests that made these calls."""
    generated: int = 0
    """Calls made out of those, or from the function's annotations: other sizes, boundary values, another order."""
    attached: tuple[FileEdit, ...] = ()
    """Tests for changed lines that no test has run: new files that become part of the change."""
    plan_before: tuple[str, ...] = ()
    plan_after: tuple[str, ...] = ()

    @property
    def replayed(self) -> str:
        """What both sides were compared on: `40 recorded requests`, `214 calls captured from 31 tests`; or nothing."""
        parts = [f"{self.requests} recorded requests"] if self.requests else []
        parts += [f"{self.calls} calls captured from {self.tests} tests"] if self.calls else []
        parts += [f"{self.generated} generated calls"] if self.generated else []
        return " and ".join(parts)

    @property
    def proven(self) -> bool:
        """True when there are checks and all of them passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def failure(self) -> Check | None:
        """The first check that said no."""
        return next((check for check in self.checks if not check.passed), None)


class Factor(Model):
    """One thing that makes a surprise more or less likely."""

    name: str
    points: int
    text: str
    """What was found, as half a sentence."""


class Risk(Model):
    """What a change may surprise with (`burnish/risk.py`)."""

    level: str
    """`low`, `medium`, `high`"""
    factors: tuple[Factor, ...]


class PullRequest(Model):
    """A pull request on a forge, as last seen."""

    number: int
    branch: str
    head: str
    url: str
    title: str
    state: str
    """`open`, `merged`, `closed`"""
    merge_commit: str = ""
    reason: str = ""
    """What a person said when closing it."""


class Outcome(str, Enum):
    """What production said after the deployment."""

    CONFIRMED = "confirmed"
    """Faster, and not measurably less than promised."""
    WEAKER = "weaker"
    """Faster, but measurably less than promised."""
    NO_CHANGE = "no_change"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    """Not enough calls to tell; says how many are missing."""


class Verdict(Model):
    """Predicted against measured, after deployment."""

    outcome: Outcome
    release_before: str
    release_after: str
    releases_after: tuple[str, ...] = ()
    """All releases with the fix that were measured as one, in order, where there are several."""
    time_saving: Interval
    """Measured share of the function's wall time per call that went away, at the old mix of entries and against what
    the entries that never reach it did meanwhile."""
    drift: Interval | None = None
    """Time per call of those other entries, after ÷ before; None where there was no such traffic."""
    wall_before_ns: float
    wall_after_ns: float
    calls_before: int
    calls_after: int
    queries_before: float
    queries_after: float
    saving_ns_per_minute: float
    """At the rate after the deployment; the interval's lower end."""
    rank_before: int
    """Place of the function in the ranking by cost when the job began (1 = dearest)."""
    rank_after: int
    """The same after the deployment; 0 when it is no longer a candidate."""
    sentence: str


class Step(str, Enum):
    """The steps of a job. The values are a stored format: never rename one."""

    PLAN = "plan"
    EDIT = "edit"
    PROVE = "prove"
    OPEN_PULL_REQUEST = "open_pull_request"
    AWAIT_MERGE = "await_merge"
    AWAIT_DEPLOY = "await_deploy"
    COMPARE = "compare"
    LEARN = "learn"


class State(str, Enum):
    """Where a job stands."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"
    """It broke in a way that no step foresaw; `detail` says how. Given up for this code."""


class Job(Model):
    """One fix, from finding to verdict. `id` names it everywhere: state, LangGraph thread, branch."""

    id: str
    candidate: Candidate
    base: str
    """The commit on which it is planned, edited and proven."""
    rank: int = 0
    """The candidate's place when the job began."""
    step: Step = Step.PLAN
    state: State = State.RUNNING
    recipe: str = ""
    change: Change | None = None
    proof: Proof | None = None
    risk: Risk | None = None
    prediction: Prediction | None = None
    pull_request: PullRequest | None = None
    deployed: str = ""
    """The release with which the fix had been observed long enough; earlier ones with it count too."""
    verdict: Verdict | None = None
    revert: PullRequest | None = None
    why: Why | None = None
    detail: str = ""
    created_unix: float = 0.0
    updated_unix: float = 0.0

    @property
    def finding(self) -> Finding:
        """Shorthand."""
        return self.candidate.finding
