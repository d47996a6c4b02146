"""The forms in which a function can run, and what changes them: ``exchange.py`` or ``monitoring.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

#: the local variable in which rewritten code keeps what stands for its call
FRAME = "__burnish_f__"
#: reports errors only; counts each call; reports the begin and end of each call
LIGHT, COUNTING, TIMED = range(3)


class Switch(Protocol):
    """Changes the form of functions, given by number. A call that runs already may end as it began."""

    def can_change(self, function: int) -> bool:
        """Whether the form of a function can be changed (any more)."""

    def change(self, functions: Iterable[int], form: int) -> int:
        """Let calls from now on run in a form; how many exchanges that took. Callable from any thread."""

    def restart_counts(self, functions: Iterable[int]) -> None:
        """Begin to count at 0."""

    def take_counts(self, functions: Iterable[int]) -> dict[int, int]:
        """The calls in the counting form since the counts were restarted; they are restarted."""

    def end_slice(self, functions: Iterable[int]) -> int:
        """Let the functions run light, some time after a slice: give up calls that were not seen to end."""
