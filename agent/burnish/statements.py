"""What the database server counts, beside what the service's functions were seen to send: `burnish statements`."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.finding import Model


class ServerStatement(Model):
    """One statement, over all clients of the database."""

    statement: str
    """Normalised: no literal."""
    calls: int
    calls_per_minute: float | None
    """None where the server's statistics are younger than ten minutes or their age is not known."""
    total_ms: float
    """In the server, since its statistics were reset."""
    rows: int
    functions: tuple[str, ...]
    """Functions that were seen to send it; empty: none, so it comes from elsewhere, or ran before the data begin."""


def chosen(statements: Sequence[ServerStatement], *, unseen: bool, top: int) -> list[ServerStatement]:
    """The dearest; with `unseen` only those that no function was seen to send."""
    return [one for one in statements if not (unseen and one.functions)][:top]


def covered(statements: Sequence[ServerStatement]) -> float:
    """Share of the server's time in statements that a function was seen to send, 0 to 1."""
    total = sum(one.total_ms for one in statements)
    return sum(one.total_ms for one in statements if one.functions) / total if total else 0.0
