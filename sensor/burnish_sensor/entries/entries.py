"""Entries: what was asked of the service. All work between begin and end is accumulated under one name."""

from __future__ import annotations

import re
from contextvars import Token
from typing import Any, Callable

from ..mechanisms.suspension import Suspension
from ..recording import calls
from ..recording.work import Work

#: kinds of entries that others may run inside: a script may be a server
_OUTER = frozenset({"script"})
_METHOD = re.compile(r"[A-Z]{1,20}")


def request_name(method: Any, route: str | None) -> str:
    """Method and route; ``<unmatched>`` where no route is known. A path never becomes a name."""
    known = str(method) if _METHOD.fullmatch(str(method)) else "<method>"
    return f"{known} {route or '<unmatched>'}"


class Entry:
    """A running entry."""

    __slots__ = ("call", "context", "token")

    def __init__(self, context: Work, call: calls.Token, token: Token[Work | None]) -> None:
        self.context, self.call, self.token = context, call, token


class Entries:
    """Begins and ends entries on the current thread or task."""

    def __init__(self, recorder: calls.Calls, suspension: Suspension) -> None:
        self._recorder, self._suspension = recorder, suspension
        self._running = recorder.entry

    def begin(self, kind: str, name: str = "") -> Entry:
        """Begin an entry; ``name`` may be given at the end (a route is known only after it was resolved)."""
        context = self._recorder.new_context(name, kind)
        token = self._running.set(context)
        return Entry(context, self._recorder.push_entry(context), token)

    def inside(self) -> bool:
        """Whether an entry is running here that another would be a part of."""
        context = self._running.get()
        return context is not None and context.open and context.kind not in _OUTER

    def generic(self) -> Work | None:
        """The context of the request that runs here, if it was begun by what does not know its route."""
        context = self._running.get()
        return context if context is not None and context.open and context.generic else None

    def current(self) -> Work | None:
        """The context of the entry that is running here."""
        return self._running.get()

    def awaiting(self, entry: Entry, awaitable: Any) -> Any:
        """What to await instead of ``awaitable`` while the entry runs in a task among others."""
        return self._suspension.watch_awaitable(entry.call, awaitable)

    def pause(self, entry: Entry) -> None:
        """Leave an entry that will go on later, perhaps on another thread."""
        self._recorder.suspend(entry.call)
        self._leave(entry)

    def resume(self, entry: Entry) -> None:
        """Go on with an entry on this thread."""
        entry.token = self._running.set(entry.context)
        self._recorder.resume(entry.call)

    def end(
        self,
        entry: Entry,
        name: str | None = None,
        status: int | None = None,
        error: BaseException | None = None,
        ended: int | None = None,
    ) -> None:
        """End an entry. ``error`` is counted by its type; ``ended`` is when it ended, in ns, if before now."""
        context = entry.context
        if ended is not None:
            context.start += self._recorder.clock() - ended
        if name:
            context.name = name
        if status is not None:
            context.status = str(status)
        if error is not None:
            context.error = type(error).__name__
        self._recorder.pop_entry(entry.call)
        self._leave(entry)

    def switches(self) -> tuple[Callable[[int, int], None], Callable[[int], None]]:
        """What tells the recorder that a thread goes on with another greenlet, and that one has ended."""
        return self._recorder.switch_stack, self._recorder.drop_stack

    def _leave(self, entry: Entry) -> None:
        try:
            self._running.reset(entry.token)
        except (RuntimeError, ValueError):  # left before, or in another context than it was entered in
            if self._running.get() is entry.context:
                self._running.set(None)
