"""What the decisions need from the world. Adapters in `burnish_tools` and fakes in `burnish.testing` satisfy these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from burnish.conditions import Sample
from burnish.finding import Finding, Model, Passed
from burnish.job import Change, Declined, Job, Proof, PullRequest
from burnish.profile import Deployment, FunctionStats, Profile, Release, Series, Stretch, TableWrites
from burnish.risk import History


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Seconds since 1970 (UTC)."""


class Runtime(Protocol):
    """The function-level dataset of one service and environment."""

    def refresh(self) -> int:
        """Takes in windows that have arrived since; returns how many. Raises DataError."""

    def releases(self) -> Sequence[Release]:
        """All releases seen, oldest first (by first window, never by name)."""

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """The merged profile of a release (default: the newest); None where there is no window."""

    def excerpt(self, function: str, release: str | None = None) -> Profile | None:
        """What of `profile(release)` concerns one function, as `burnish.excerpt` says."""

    def series(self, function: str, release: str) -> Series:
        """The function window by window; empty where it was not seen."""

    def entry_series(self, release: str) -> Series:
        """All entries window by window, with the entry in each point; `function` is empty."""

    def history(
        self, level: str, *, since_unix_ns: int = 0, functions: Collection[str] | None = None
    ) -> Sequence[Stretch]:
        """Sums by `hour` or `day` over all releases, oldest first, of all functions and entries or of those named (`""`
        are the entries)."""

    def span(
        self, function: str, start_unix_ns: int, end_unix_ns: int, *, release: str | None = None
    ) -> Mapping[str, FunctionStats]:
        """The function by entry between two whole hours, with its distributions; empty where it was not seen."""

    def samples(self, function: str, release: str, *, since_unix_ns: int = 0) -> Sequence[Sample]:
        """What was looked at of a function's calls, window by window, oldest first."""

    def deployments(self) -> Sequence[Deployment]:
        """What was marked as deployed, oldest first. Releases that nobody marked are in `releases` only."""


class QueryPlan(Model):
    """A database's plan for a normalised statement."""

    lines: tuple[str, ...]
    full_scans: tuple[str, ...]
    """Tables that are read as a whole (or sorted in full after it) to answer the statement."""
    indexes: tuple[str, ...]
    """Indexes that it uses."""
    cost: float | None = None
    """The planner's own estimate for all of it; None where it tells none."""
    rows: float | None = None
    """How many rows the planner expects to come out; None where it tells none."""
    tried_on: str = ""
    """For a plan with an index that is not there: what it was tried on."""


class Index(NamedTuple):
    """An index that is not there."""

    table: str
    columns: tuple[str, ...]
    """In order; a leading `-` means descending."""
    where: str = ""
    """The rows that it holds: `deleted_at IS NULL`, `NOT archived`; `""` for all."""


class Database(Protocol):
    """Read-only facts from the service's database. Every method raises Unavailable when it cannot be reached."""

    system: str

    def plan(self, statement: str) -> QueryPlan | None:
        """The plan for a normalised statement with `?` placeholders; None where it cannot be planned."""

    def rows(self, table: str) -> int:
        """Number of rows, estimated where counting is dear."""

    def indexes(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """Columns in order, by index name."""

    def plan_with(self, statement: str, index: Index) -> QueryPlan | None:
        """The plan that the statement would have with an index. Nothing is built in the database itself; None where it
        cannot be tried elsewhere, or not be planned."""

    def writes(self, table: str) -> TableWrites | None:
        """How often a table is written, by the database's own count; None where it does not count."""


class Detector(Protocol):
    """One kind of finding. One file in `burnish_tools/detectors/`."""

    name: str

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterable[Finding | Passed]:
        """Findings, and what was looked at and passed over."""


class Source(Protocol):
    """The repository at one commit, read-only. Paths are relative to the application root, with `/`."""

    def read(self, path: str) -> str | None:
        """Text of a file; None where it is not there or is not UTF-8."""

    def paths(self, suffix: str = ".py") -> Sequence[str]:
        """Sorted paths of the files with this suffix."""


class Recipe(Protocol):
    """One small mechanical fix. One file in `burnish_tools/recipes/`."""

    name: str
    kinds: frozenset[str]
    """Kinds of findings that it may answer."""
    risk: float
    """≥ 1: how much harm a wrong edit of this kind does; divides the score."""

    def apply(self, finding: Finding, source: Source) -> Change | Declined:
        """The edit, or why not. Never raises."""


class Workspace(Protocol):
    """The service's git repository. No method runs code of the repository."""

    def head(self) -> str:
        """Commit of the base branch, fetched. Raises RepositoryError, Unavailable."""

    def dirty(self) -> Sequence[str]:
        """Uncommitted paths, where the repository is a local checkout."""

    def source(self, commit: str) -> Source:
        """Its files at a commit."""

    def export(self, commit: str, target: Path, change: Change | None = None) -> None:
        """Writes the tree of a commit (with a change applied) to an empty directory, without `.git`."""

    def publish(self, base: str, change: Change, branch: str, message: str) -> str:
        """Commits the change on `base` and pushes it to `branch`; returns the commit. Doing it again changes nothing.

        Raises RepositoryError where the branch holds somebody else's commit.
        """

    def publish_revert(self, commit: str, branch: str, message: str) -> str:
        """Reverts a (merge) commit on the head of the base branch and pushes that to `branch`; returns the commit."""

    def contains(self, release: str, commit: str) -> bool:
        """True where `commit` is `release` or an ancestor of it; False where the release is unknown to git."""

    def history(self, commit: str, change: Change) -> History:
        """What was committed before to the lines that a change touches."""

    def diff(self, change: Change) -> str:
        """The change as a unified diff."""


class Prover(Protocol):
    """Runs the checks on an edit. Runs repository code, in a sandbox."""

    def baseline(self, commit: str) -> Proof:
        """The service's own tests at a commit, cached for that commit."""

    def prove(self, job: Job) -> Proof:
        """All checks on `job.change`, in order, up to the first that says no."""


class Forge(Protocol):
    """Where pull requests live. Idempotent by branch. Methods raise Unavailable."""

    def find(self, branch: str) -> PullRequest | None:
        """The newest pull request from a branch, open or not."""

    def open(self, branch: str, title: str, body: str, labels: Sequence[str] = ()) -> PullRequest:
        """Opens one, or returns the one that is there already."""

    def get(self, number: int) -> PullRequest:
        """As it is now."""

    def comment(self, number: int, topic: str, body: str) -> None:
        """Writes a comment, or replaces the one with the same topic."""

    def open_pull_requests(self) -> Sequence[PullRequest]:
        """Those that Burnish opened and that are still open."""


class Asked(Model):
    """A question for the model, with all that it may see."""

    finding: Finding
    files: tuple[tuple[str, str], ...]
    """(path, text) of the files that matter."""
    feedback: str = ""
    """What was wrong with the last answer, written for the model."""


class ModelAdapter(Protocol):
    """A language model, asked where no recipe applies. Its answer is data and is proven like a recipe's."""

    name: str

    def propose(self, asked: Asked, job_id: str) -> Change | Declined:
        """An edit or a refusal. Raises Unavailable."""


class JobRunner(Protocol):
    """Runs jobs durably: `burnish.graph.Jobs`."""

    def advance(self, job: Job) -> Job:
        """Runs a new or killed job until it waits or ends."""

    def resume(self, job: Job, news: dict[str, Any]) -> Job:
        """Ends a wait with what has happened."""
