"""What one cycle did: kept with the run, printed by `burnish run`, read by `burnish why`."""

from __future__ import annotations

from burnish.finding import Candidate, Model, Passed, Told
from burnish.job import Job


class Report(Model):
    """The result of a cycle."""

    windows: int = 0
    """Windows of runtime data that were new."""
    release: str = ""
    candidates: tuple[Candidate, ...] = ()
    """In the order of work."""
    told: tuple[Told, ...] = ()
    """Findings that are shown and never proposed, the dearest per week first."""
    went_on: tuple[Job, ...] = ()
    started: tuple[Job, ...] = ()
    passed: tuple[Passed, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be done now, and the mend."""
