"""What an edit may not do, read from its text before any of it runs. One file for each family of rules.

A broken rule is told with its name, the file and the line. Rules compare the old text with the new one: what was there
before is no concern of theirs. They refuse in doubt; what they let through still has to pass the tests, the replay and
the measurement.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator

from burnish.job import Change, Check, FileEdit
from burnish.protocols import Source
from burnish.why import Why
from burnish_tools.proof.rules.dropped import dropped_rules
from burnish_tools.proof.rules.import_time import import_time_rules
from burnish_tools.proof.rules.inputs import input_rules
from burnish_tools.proof.rules.introspection import introspection_rules
from burnish_tools.proof.rules.later import later_rules
from burnish_tools.proof.rules.memo import memo_rules
from burnish_tools.proof.rules.paths import is_migration, migration_rules, path_rules
from burnish_tools.proof.rules.precision import precision_rules
from burnish_tools.proof.rules.removed import removed_rules
from burnish_tools.proof.rules.shape import shape_rules
from burnish_tools.proof.rules.surroundings import surroundings_rules
from burnish_tools.proof.rules.text import Broken, Sides

FAMILIES: tuple[Callable[[Sides], Iterator[Broken]], ...] = (
    introspection_rules,
    memo_rules,
    surroundings_rules,
    later_rules,
    import_time_rules,
    input_rules,
    precision_rules,
    removed_rules,
    dropped_rules,
)


def rules_check(change: Change, source: Source, max_changed_lines: int, settings_module: str = "") -> Check:
    """The first broken rule, or that there is none."""
    for edit in change.edits:
        if _plain(source.read(edit.path)) != _plain(edit.before):
            return _no(Why.CODE_MOVED_ON, f"{edit.path} is not what the edit was made from.")
        if broken := next(path_rules(edit, change, settings_module), None):
            return _no(Why.FORBIDDEN_EDIT, broken.sentence(edit.path))
    lines = sum(_changed_lines(e) for e in change.edits if not is_migration(e.path))
    if lines > max_changed_lines:
        return _no(Why.DIFF_TOO_BIG, f"{lines} lines are added or removed; the limit is {max_changed_lines}.")
    for edit in change.edits:
        if broken := next(_code_rules(edit, change), None):
            return _no(Why.FORBIDDEN_EDIT, broken.sentence(edit.path))
    if lines == 0 and not change.migration:
        return _no(Why.NOT_FASTER, "The edit changes nothing.")
    files = ", ".join(edit.path for edit in change.edits)
    summary = f"{lines} lines changed in {files}; signatures stay, no memo is added, nothing is moved or left out."
    return Check(name="rules", passed=True, summary=summary)


def _plain(text: str | None) -> str | None:
    """Edits have plain line ends, whatever the repository has."""
    return text if text is None else text.replace("\r\n", "\n")


def _no(why: Why, summary: str) -> Check:
    return Check(name="rules", passed=False, summary=summary, why=why)


def _changed_lines(edit: FileEdit) -> int:
    lines = difflib.unified_diff((edit.before or "").splitlines(), edit.after.splitlines(), n=0, lineterm="")
    return sum(1 for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---")))


def _code_rules(edit: FileEdit, change: Change) -> Iterator[Broken]:
    try:
        sides = Sides(edit.path, ast.parse(edit.before or ""), ast.parse(edit.after))
    except SyntaxError as error:
        yield Broken("syntax", f"does not parse: {error.msg}", error.lineno or 0)
        return
    yield from shape_rules(sides, change)
    if is_migration(edit.path):
        yield from introspection_rules(sides)
        yield from migration_rules(sides)
        return
    for family in FAMILIES:
        yield from family(sides)
