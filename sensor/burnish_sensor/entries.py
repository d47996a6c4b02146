"""Entries: what was asked of the service. All work between begin and end is accumulated under one name."""

from __future__ import annotations

from contextvars import Token
from typing import Any

from .context import Context, Frame
from .recorder import Recorder
from .suspension import Suspension


class Entry:
    """A running entry."""

    __slots__ = ("context", "frame", "token")

    def __init__(self, context: Context, frame: Frame, token: Token[Context | None]) -> None:
        self.context, self.frame, self.token = context, frame, token


class Entries:
    """Begins and ends entries on the current thread or task."""

    def __init__(self, recorder: Recorder, suspension: Suspension) -> None:
        self._recorder, self._suspension = recorder, suspension

    def begin(self, kind: str, name: str = "") -> Entry:
        """Begin an entry; ``name`` may be given at the end (a route is known only after it was resolved)."""
        context = Context(name, kind)
        token = self._recorder.entry.set(context)
        return Entry(context, self._recorder.push_entry(context), token)

    def inside(self) -> bool:
        """Whether an entry is running here."""
        context = self._recorder.entry.get()
        return context is not None and context.open

    def current(self) -> Context | None:
        """The context of the entry that is running here."""
        return self._recorder.entry.get()

    def awaiting(self, entry: Entry, awaitable: Any) -> Any:
        """What to await instead of ``awaitable`` while the entry runs in a task among others."""
        return self._suspension.watch_awaitable(entry.frame, awaitable)

    def end(
        self,
        entry: Entry,
        name: str | None = None,
        status: int | None = None,
        error: BaseException | None = None,
    ) -> None:
        """End an entry. ``error`` is counted by its type."""
        context = entry.context
        if name:
            context.name = name
        if status is not None:
            context.status = str(status)
        if error is not None:
            context.error = type(error).__name__
        self._recorder.pop_entry(entry.frame)
        try:
            self._recorder.entry.reset(entry.token)
        except ValueError:  # ended in another context than it began in
            self._recorder.entry.set(None)
