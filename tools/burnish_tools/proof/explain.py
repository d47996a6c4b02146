"""Checks for changes with a migration: models and migrations agree, and the database uses the new index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.job import Change, Check
from burnish.protocols import Database
from burnish.why import Why
from burnish_tools.proof.replay import Arm, Service, refusal
from burnish_tools.proof.scratch import without_driver

Connect = Callable[[str], Database]
"""Opens a database by its URL, for reading plans."""


@dataclass(frozen=True)
class Plans:
    """The plan of the finding's statement on the old and on the migrated copy."""

    check: Check
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def migration_check(service: Service, old: Arm, new: Arm) -> Check:
    """Brings both copies to their own code's schema; nothing may be left that makemigrations would still write."""
    if service.started(new).framework != "django":
        summary = "The change has a migration, and only Django's are run in a proof."
        raise refusal("migration", Why.MIGRATION_INCOMPLETE, summary)
    for arm in (old, new):
        _manage(service, arm, ["migrate", "--noinput", "-v", "0"])
    dry = service.run(new, ["-m", "django", "makemigrations", "--check", "--dry-run"])
    if dry.code != 0:
        summary = "The models ask for a migration that is not in the change."
        return Check(name="migration", passed=False, summary=summary, why=Why.MIGRATION_INCOMPLETE, detail=dry.tail(6))
    return Check(name="migration", passed=True, summary="Models and migrations agree; the migration ran on a copy.")


def _manage(service: Service, arm: Arm, command: Sequence[str]) -> None:
    run = service.run(arm, ["-m", "django", *command])
    if run.code != 0:
        summary = f"`{' '.join(command)}` failed with the {arm.name} code."
        raise refusal("migration", Why.MIGRATION_INCOMPLETE, summary, run.tail(6))


def plans(connect: Connect, finding: Finding, old: Arm, new: Arm) -> Plans:
    """Fails where the statement still reads the whole table."""
    evidence = finding.evidence
    before, after = (connect(without_driver(arm.database)).plan(evidence.statement) for arm in (old, new))
    if before is None or after is None:
        summary = "The database could not plan the finding's statement, so that the index cannot be judged."
        return Plans(Check(name="plan", passed=False, summary=summary, why=Why.PLAN_UNREADABLE))
    fresh = sorted(set(after.indexes) - set(before.indexes))
    if evidence.table in after.full_scans or (not fresh and before.lines == after.lines):
        summary = f"With the index the database still plans as before for {evidence.table}."
        check = Check(name="plan", passed=False, summary=summary, why=Why.PLAN_UNCHANGED, detail=after.lines)
    else:
        used = ", ".join(fresh) or "another plan"
        summary = f"The statement no longer reads all of {evidence.table}: {used}."
        check = Check(name="plan", passed=True, summary=summary)
    return Plans(check, before.lines, after.lines)


def needs_plans(change: Change, finding: Finding) -> bool:
    """A schema change that answers a finding about one statement."""
    return change.migration and bool(finding.evidence.statement and finding.evidence.table)
