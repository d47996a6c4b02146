"""Random numbers of our own: not the host's sequence, and without ``random``, which loads hash functions and more."""

from __future__ import annotations

import _random
from typing import Any


class Random(_random.Random):
    """The few methods of ``random.Random`` that are used here; begins with a seed from the system, or the one given."""

    def uniform(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        return low + (high - low) * self.random()

    def randint(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def shuffle(self, items: list[Any]) -> None:
        """Bring a list into a random order, in place."""
        for at in range(len(items) - 1, 0, -1):
            other = self.randint(0, at)
            items[at], items[other] = items[other], items[at]
