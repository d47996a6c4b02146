"""Shadow stacks of greenlets: a thread has many, of which one runs.

The time in which a greenlet does not run is wall time, but nobody's own time. It is the top of its stack that does not
run meanwhile, and what is below on the same stack neither.
"""

from __future__ import annotations

from typing import Any, Callable

from .. import threads
from .context import CHILD, Frame


class _Stack:
    """The stack of one greenlet: the frames above ``base``, which is that of the greenlet ``below`` it or the root.

    ``since`` is when it was left, ``started`` when it was last entered; ``worked`` is how long greenlets based on it
    ran since it was left: that is its own running time.
    """

    __slots__ = ("base", "below", "key", "since", "started", "top", "worked")

    def __init__(self, key: int, base: Frame, below: _Stack | None, now: int) -> None:
        self.key, self.base, self.top, self.below = key, base, base, below
        self.since = self.started = now
        self.worked = 0


class _Local(threads.local):  # type: ignore[misc]
    """The stacks of a thread: the running one (None: no greenlet was switched to yet) and the others by key."""

    def __init__(self) -> None:
        self.running: _Stack | None = None
        self.parked: dict[int, _Stack] = {}


class Stacks:
    """The stacks of all threads. ``states`` has the ``state`` of the thread that asks."""

    def __init__(self, states: Any, clock: Callable[[], int]) -> None:
        self._states, self._clock, self._local = states, clock, _Local()

    def switch(self, key: int, base: int = 0) -> None:
        """This thread goes on with the greenlet ``key``; the first time in a thread: that one runs already.

        One that was not seen before begins at the bottom, or, with ``base``, on top of what that greenlet does: its
        calls are made by the function that waits for it there.
        """
        state, local, now = self._states.state, self._local, self._clock()
        if local.running is None:
            local.running = _Stack(key, state.root, None, now)
        if local.running.key == key:
            return
        self._park(local, local.running, state.current, now)
        stack = local.parked.pop(key, None)
        if stack is None:
            below = local.parked.get(base) if base else None
            stack = _Stack(key, below.top if below is not None else state.root, below, now)
        elif stack.top is not stack.base:
            away = now - stack.since - stack.worked
            stack.top[CHILD] += away
            stack.base[CHILD] -= away
        stack.started, stack.worked = now, 0
        local.running = stack
        state.current = stack.top

    @staticmethod
    def _park(local: _Local, stack: _Stack, top: Frame, now: int) -> None:
        local.parked[stack.key] = stack
        stack.top, stack.since = top, now
        ran, below = now - stack.started, stack.below
        while below is not None:
            below.worked += ran
            below = below.below

    def drop(self, key: int) -> None:
        """A greenlet of this thread that does not run will never run again."""
        self._local.parked.pop(key, None)
