"""Which lines a change adds, and whether any replayed call has run them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from burnish.job import Change, Check
from burnish.why import Why


def of(change: Change) -> dict[str, list[int]]:
    """Lines that are new or different, by file, counted from 1 in the new text."""
    found: dict[str, list[int]] = {}
    for edit in change.edits:
        if edit.path.endswith(".py") and not change_is_schema(edit.path):
            lines = _added((edit.before or "").splitlines(), edit.after.splitlines())
            if lines:
                found[edit.path] = lines
    return found


def change_is_schema(path: str) -> bool:
    """Migrations run in a check of their own."""
    return "migrations" in path.split("/")[:-1]


def _added(before: list[str], after: list[str]) -> list[int]:
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [line + 1 for tag, _, _, start, end in blocks if tag != "equal" for line in range(start, end)]


def check(lines: Mapping[str, Any]) -> Check:
    """Every changed line of a function has run with the change."""
    missing = lines["missing"]
    if missing:
        summary = f"{len(missing)} of {lines['asked']} changed lines run in no replayed call: {', '.join(missing[:5])}."
        return Check(name="coverage", passed=False, summary=summary, why=Why.UNTESTED, detail=tuple(missing[:20]))
    if not lines["asked"]:
        return Check(name="coverage", passed=True, summary="No line of a function is added.")
    return Check(name="coverage", passed=True, summary=f"The replayed calls run all {lines['asked']} changed lines.")
