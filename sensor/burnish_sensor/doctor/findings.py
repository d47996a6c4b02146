"""One line of what the doctor says."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found. ``problem`` is empty, or what would not work and how to mend it."""

    name: str
    value: str
    problem: str = ""

    def to_dict(self) -> dict[str, str]:
        """For ``--json``."""
        return asdict(self)
