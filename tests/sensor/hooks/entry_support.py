"""Reads entry rows."""

from __future__ import annotations

from collections import Counter
from typing import Any


def entries(window: dict[str, Any]) -> dict[str, tuple[int, dict[str, int], dict[str, int]]]:
    """(calls, status, errors) by entry."""
    return {row["entry"]: (row["calls"], row["status"], row["errors"]) for row in window["entries"]}


def entry_of(window: dict[str, Any], function: str) -> dict[str, int]:
    """Calls of a function by entry."""
    return {row["entry"]: row["calls"] for row in window["calls"] if row["function"] == function}


def wall(window: dict[str, Any], entry: str) -> int:
    """The wall time of an entry in sum, in ns."""
    (row,) = (row for row in window["entries"] if row["entry"] == entry)
    total: int = row["wall"]["sum"]
    return total


def call_wall(window: dict[str, Any], function: str) -> int:
    """The wall time of a function in sum, in ns."""
    return sum(row["wall"]["sum"] for row in window["calls"] if row["function"] == function)


def entry_sums(found: list[dict[str, Any]]) -> dict[str, tuple[int, dict[str, int], dict[str, int]]]:
    """(calls, status, errors) by entry over all windows of all processes."""
    calls: Counter[str] = Counter()
    status: dict[str, Counter[str]] = {}
    errors: dict[str, Counter[str]] = {}
    for window in found:
        for name, (count, codes, kinds) in entries(window).items():
            calls[name] += count
            status.setdefault(name, Counter()).update(codes)
            errors.setdefault(name, Counter()).update(kinds)
    return {name: (calls[name], dict(status[name]), dict(errors[name])) for name in calls}
