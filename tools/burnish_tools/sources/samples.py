"""How often each line was the innermost one of a sample, from however many profiles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from burnish.profile import LineTime

Line = tuple[str, str, int]
"""Function, file, line."""


@dataclass
class Samples:
    """Of one or several profiles. They add."""

    lines: Counter[Line] = field(default_factory=Counter)
    """Samples by innermost line."""

    @property
    def total(self) -> int:
        """Samples of all lines."""
        return self.lines.total()

    def add(self, function: str, file: str, line: int, samples: int = 1) -> None:
        """Samples whose innermost line this is."""
        if samples > 0:
            self.lines[function, file.replace("\\", "/"), max(line, 0)] += samples

    def line_times(self) -> tuple[LineTime, ...]:
        """The lines, the most sampled first."""
        total = max(self.total, 1)
        ordered = sorted(self.lines.items(), key=lambda item: (-item[1], item[0]))
        return tuple(
            LineTime(function=function, file=file, line=line, share=n / total, samples=n)
            for (function, file, line), n in ordered
        )
