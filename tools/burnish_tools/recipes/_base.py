"""What every recipe shares: declining from any depth, the promise not to raise, examples that are also tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from burnish.finding import Evidence, Finding, Interval
from burnish.job import Change, Declined, FileEdit
from burnish.protocols import Source
from burnish.why import Why
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.foreign import refuse_file, refuse_foreign
from burnish_tools.recipes.source.repo import Decline, Repository, repository_of

TITLE_LENGTH = 72
Found = TypeVar("Found")
Fit = TypeVar("Fit")


class BaseRecipe:
    """Turns `change`, which may raise `Decline` anywhere, into an `apply` that never raises."""

    name: str
    kinds: frozenset[str]
    risk: float
    examples: tuple[Act | Refuse, ...]
    needles: tuple[str, ...] = ()
    """One of these is in the finding's file wherever the recipe has something to do; empty: it looks in any case."""

    def apply(self, finding: Finding, source: Source) -> Change | Declined:
        """The edit, or why not. Whatever goes wrong inside is a refusal, never an error of the job."""
        try:
            repository = repository_of(source, finding)
            refuse_file(repository, finding.file)
            self._refuse_without_needle(finding, repository)
            return self.change(finding, repository)
        except Decline as refusal:
            return Declined(why=refusal.why, detail=refusal.detail)
        except RecursionError:
            return Declined(why=Why.NO_PATTERN, detail=f"{finding.file} is nested too deeply to be read")
        except Exception as error:  # noqa: BLE001 - the contract: foreign code must not stop the cycle
            return Declined(why=Why.NO_PATTERN, detail=f"recipe {self.name} failed: {type(error).__name__}: {error}")

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        raise NotImplementedError

    def _refuse_without_needle(self, finding: Finding, repository: Repository) -> None:
        """Nothing is parsed for a file that cannot hold the pattern."""
        text = repository.text(finding.file) if self.needles else None
        if text is not None and not any(needle in text for needle in self.needles):
            raise Decline(Why.NO_PATTERN, f"{finding.file} has no {' or '.join(self.needles)}")


def file_edits(edits: Sequence[Edits]) -> tuple[FileEdit, ...]:
    """The edits as data, sorted by path. Raises Decline where a result is no valid Python or nothing changed."""
    for edit in edits:
        refuse_foreign(edit.module.path, edit.module.text)
    changed = [
        FileEdit(path=edit.module.path, before=edit.module.original, after=edit.module.bom + edit.text())
        for edit in edits
    ]
    if all(edit.before == edit.after for edit in changed):
        raise Decline(Why.ALREADY_DONE, "the edit changes nothing")
    return tuple(sorted(changed, key=lambda edit: edit.path))


def fitting(found: Iterable[Found], attempt: Callable[[Found], Fit], otherwise: str) -> list[Fit]:
    """What `attempt` makes of all that it does not decline. Raises Decline where nothing is left: the refusal that says
    most, or `otherwise` where there was nothing to begin with."""
    fit: list[Fit] = []
    refusals: list[Decline] = []
    for each in found:
        try:
            fit.append(attempt(each))
        except Decline as reason:
            refusals.append(reason)
    if not fit:
        first = [*(each for each in refusals if each.why is Why.LOAD_BEARING), *refusals]
        raise first[0] if first else Decline(Why.NO_PATTERN, otherwise)
    return fit


def title(text: str) -> str:
    """At most 72 characters, cut at a word."""
    if len(text) <= TITLE_LENGTH:
        return text
    cut = text[: TITLE_LENGTH - 1]
    return cut[: cut.rfind(" ")].rstrip(" ,") if " " in cut else cut


# ── examples ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Act:
    """The recipe must turn `files` into `after` (only the files that change, or are new)."""

    name: str
    files: Mapping[str, str]
    finding: Finding
    after: Mapping[str, str]


@dataclass(frozen=True)
class Refuse:
    """The recipe must leave `files` alone, for this reason."""

    name: str
    files: Mapping[str, str]
    finding: Finding
    why: Why
    detail: str = ""
    """A part of the sentence that has to be in the answer."""


@dataclass(frozen=True)
class MemorySource:
    """A repository in memory: a `Source` for examples and tests."""

    files: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        """Text of a file, or None."""
        return self.files.get(path)

    def paths(self, suffix: str = ".py") -> Sequence[str]:
        """Sorted paths."""
        return sorted(path for path in self.files if path.endswith(suffix))


def example_finding(kind: str, function: str, file: str, evidence: Evidence, line: int = 1) -> Finding:
    """A finding with plain numbers: 60 calls a minute of 10 ms, half of it removable."""
    return Finding(
        kind=kind, function=function, file=file, line=line, body="", release="r1", entries=(),
        calls_per_minute=Interval(value=60, low=50, high=70, n=20),
        wall_ns=Interval(value=1e7, low=9e6, high=1.1e7, n=20), removable_ns=5e6, evidence=evidence,
    )  # fmt: skip
