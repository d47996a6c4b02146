"""Which calls the pure recorder looks at more closely when they end. (The native one has the same in C.)

A function has a trigger while its calls are long enough to have conditions worth knowing: calls of at least
``slow_ns``, and one in ``every`` of all. Distances between the latter are drawn anew each time, evenly from 1 to
2·``every`` − 1: a fixed distance would meet periodic work always at the same place.
"""

from __future__ import annotations

import weakref
from functools import partial
from types import FrameType
from typing import Any, Callable

from ..chance import Random
from ..exemplars.facts import MISSING
from .context import EDGE, PARENT, Edge, Frame
from .stack import State

NEVER = 1 << 62
#: until a function is known: calls of 1 ms are seldom, and the first is often one of them
FIRST_SLOW_NS = 1_000_000
_MOST_FIRST = 5_000
_MOST_STEPS = 400

#: ``Exemplars.capture``
Capture = Callable[..., None]


class Trigger:
    """When to look at a call of one function. ``left``: calls until the next of the even sample."""

    __slots__ = ("calls", "every", "left", "slow_ns")

    def __init__(self, slow_ns: int, every: int, left: int, calls: int = 0) -> None:
        self.slow_ns, self.every, self.left, self.calls = slow_ns, every, left, calls


class Triggers(dict[int, Trigger]):
    """The triggers by the number of their function; the hot path asks only whether a function has one."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self.capture: Capture | None = None
        self.draw = Random()
        self.states: weakref.WeakSet[State] = weakref.WeakSet()
        self._met = bytearray()
        #: calls of generators and coroutines that did not end, by function: they may be on no stack
        self._suspended: dict[int, dict[int, None]] = {}

    def meet(self, function: int) -> None:
        """A function was called that may be new: look at its first calls if they are long."""
        if function < len(self._met) and self._met[function]:
            return
        if function >= len(self._met):
            self._met.extend(bytes(function + 1_000 - len(self._met)))
        self._met[function] = 1
        if self.capture is not None and len(self) < _MOST_FIRST:
            self[function] = Trigger(FIRST_SLOW_NS, 0, NEVER)

    def set(self, function: int, slow_ns: int, every: int) -> None:
        """Look at calls of at least ``slow_ns`` (0: none) and one in ``every`` (0: none)."""
        if not slow_ns and not every:
            self.pop(function, None)
            self._suspended.pop(function, None)
            return
        known = self.get(function)
        left = known.left if known is not None and known.every == every else self._first(every)
        self[function] = Trigger(slow_ns or NEVER, every, left, known.calls if known is not None else 1)

    def _first(self, every: int) -> int:
        return self.draw.randint(1, every) if every else NEVER

    def began(self, function: int, frame: Frame) -> None:
        """A call of a generator or coroutine began."""
        self._suspended.setdefault(function, {})[id(frame)] = None

    def ended(self, call: Frame, wall: int, own: int, queries: Any, frame: FrameType) -> int:
        """A call of a function with a trigger ended; the ns that looking at it took."""
        try:
            edge: Edge = call[EDGE]
            trigger = self.get(edge.function)
            if trigger is None or edge.nested is edge:  # within a recursion: its time is that of the outermost call
                return 0
            trigger.calls += 1
            trigger.left -= 1
            uniform = trigger.left <= 0
            if uniform:
                trigger.left = self.draw.randint(1, 2 * trigger.every - 1) if trigger.every else NEVER
            if not (uniform or wall >= trigger.slow_ns) or self.capture is None:
                return 0
            start = self._clock()
            function, nth = edge.function, trigger.calls
            live = partial(self.live, function)
            self.capture(function, wall, own, uniform, nth, live, queries, frame, MISSING, edge.context)
            return self._clock() - start
        except Exception:  # noqa: BLE001 - the edge: the host's call has ended well
            return 0
        finally:
            if self._suspended:
                self._suspended.get(call[EDGE].function, {}).pop(id(call), None)

    def live(self, function: int) -> int:
        """How many calls of a function run now, with that which just ended; 0 where there is too much to look at."""
        count = len(self._suspended.get(function, ()))
        if count:
            return count
        left = _MOST_STEPS
        try:
            states = list(self.states)
        except RuntimeError:  # a thread began meanwhile
            return 0
        for state in states:
            frame: Frame | None = state.current
            while frame is not None and frame[EDGE].function != function and left:
                frame = frame[PARENT]
                left -= 1
            count += frame is not None
        return count + 1 if left else 0
