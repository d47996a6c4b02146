"""A body of lines to windows, each line for itself: a bad one does not lose the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from burnish.errors import DataError
from burnish_tools.collector.answers import Answer, Rejected, said
from burnish_tools.runtime.format import NewerFormat, Window, parse

MOST_LINES = 1000
"""In one body; the sensor sends at most 100. More are answered with 413, so that a sender halves its batch."""
_SHOWN = 100
"""Refused lines that an answer names."""


@dataclass(frozen=True)
class Refusal:
    """A line that was not taken. `reason` is one of few words, for counting."""

    line: int
    """1-based."""
    error: str
    reason: str


@dataclass
class Batch:
    """What one request brought."""

    windows: list[tuple[int, bytes, Window]] = field(default_factory=list)
    """Number of the line, the line, the window."""
    refused: list[Refusal] = field(default_factory=list)
    newer: list[bytes] = field(default_factory=list)
    """Lines of a newer format: to be kept."""
    new: int = 0
    """Windows that the store took, and those that it had (they are accepted, too)."""
    duplicates: int = 0
    stored: bool = False
    """The store has its windows, or refused them."""
    counted: bool = True
    """Whether somebody wants to know its duplicates."""

    def refuse(self, line: int, error: str, reason: str) -> None:
        """Notes a line that is not taken."""
        self.refused.append(Refusal(line, error, reason))

    def answer(self) -> Answer:
        """200 where anything was taken (or there was nothing), else 400 with the same body."""
        shown = [{"line": r.line, "error": r.error} for r in sorted(self.refused, key=lambda r: r.line)[:_SHOWN]]
        stored = self.new + self.duplicates
        value: dict[str, Any] = {"accepted": stored, "duplicates": self.duplicates, "refused": shown}
        if len(self.refused) > _SHOWN:
            value["refused_in_all"] = len(self.refused)
        return said(value, 400 if self.refused and not stored else 200)


def batch(body: bytes) -> Batch:
    """Reads every line. Raises Rejected 413 where there are too many."""
    lines = body.split(b"\n", MOST_LINES + 1)
    if len(lines) > MOST_LINES + 1 or (len(lines) == MOST_LINES + 1 and lines[-1].strip()):
        raise Rejected(413, f"more than {MOST_LINES} lines in one body; send fewer windows at once")
    return of_lines(lines)


def of_lines(lines: Sequence[bytes]) -> Batch:
    """Reads every line."""
    found = Batch()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            window = parse(line)
        except NewerFormat as newer:
            found.refuse(number, str(newer), "newer format")
            found.newer.append(line)
        except DataError as error:
            found.refuse(number, str(error)[:500], "not a window")
        else:
            found.windows.append((number, line, window))
    return found
