"""Collaborators that answer as they were told: a detector, a recipe, a prover, a clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from burnish.finding import EntryShare, Evidence, Finding, Interval, Passed
from burnish.job import Change, Check, Declined, Effect, FileEdit, Job, Proof
from burnish.profile import Profile
from burnish.protocols import Database, Runtime, Source


class FixedClock:
    """Stands still until it is set."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        """Seconds since 1970."""
        return self.time


class ScriptedDetector:
    """Finds what it is told, in the releases where the function still has the measured body."""

    name = "scripted"

    def __init__(self, *seen: Finding | Passed) -> None:
        self._seen = seen

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterable[Finding | Passed]:
        """The findings whose release this is."""
        return [s for s in self._seen if not isinstance(s, Finding) or s.release == profile.release]


class ScriptedRecipe:
    """Replaces one text by another in the finding's file."""

    kinds = frozenset({"scripted"})
    risk = 1.0

    def __init__(self, old: str, new: str, name: str = "replace") -> None:
        self.name, self._old, self._new = name, old, new

    def apply(self, finding: Finding, source: Source) -> Change | Declined:
        """The edit, or NO_PATTERN."""
        from burnish.why import Why

        before = source.read(finding.file)
        if before is None or self._old not in before:
            return Declined(why=Why.NO_PATTERN, detail=f"{self._old!r} is not in {finding.file}")
        edit = FileEdit(path=finding.file, before=before, after=before.replace(self._old, self._new))
        return Change(
            recipe=self.name,
            title=f"Replace {self._old} by {self._new}",
            summary="Does the same with less.",
            safety="They are the same.",
            edits=(edit,),
            functions=(finding.function,),
        )


class ScriptedProver:
    """Says yes with a given saving, or no with a given check."""

    def __init__(self, saving: float = 0.6, baseline: Check | None = None, refusal: Check | None = None) -> None:
        self._saving, self._refusal = saving, refusal
        self._baseline = baseline or Check(name="baseline", passed=True, summary="60 tests pass")

    def baseline(self, commit: str) -> Proof:
        """The given check."""
        return Proof(checks=(self._baseline,))

    def prove(self, job: Job) -> Proof:
        """The given answer."""
        if self._refusal is not None:
            return Proof(checks=(self._baseline, self._refusal))
        saving = interval(self._saving, spread=0.05)
        time = Effect(
            what="time",
            subject=job.finding.function,
            unit="ns",
            before=1e7,
            after=1e7 * (1 - self._saving),
            saving=saving,
        )
        check = Check(name="cost", passed=True, summary=f"{self._saving:.0%} less time")
        return Proof(checks=(self._baseline, check), effects=(time,), reproduce="burnish prove", requests=20)


def interval(value: float, spread: float = 0.1, n: int = 20) -> Interval:
    """An interval around a value; `spread` is a share of it."""
    return Interval(value=value, low=value * (1 - spread), high=value * (1 + spread), n=n)


def finding(
    function: str = "shop.views:orders",
    *,
    release: str = "a",
    kind: str = "scripted",
    per_minute: float = 600,
    wall_ms: float = 10,
    removable_ms: float = 6,
    body: str = "b0d1",
    entries: Sequence[str] = ("GET orders/",),
) -> Finding:
    """A finding in a few words."""
    return Finding(
        kind=kind,
        function=function,
        file=function.partition(":")[0].replace(".", "/") + ".py",
        line=1,
        body=body,
        release=release,
        entries=tuple(EntryShare(entry=e, calls_per_minute=per_minute / len(entries)) for e in entries),
        calls_per_minute=interval(per_minute),
        wall_ns=interval(wall_ms * 1e6),
        removable_ns=removable_ms * 1e6,
        evidence=Evidence(),
    )
