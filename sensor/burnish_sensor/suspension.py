"""Generators and coroutines: a call that runs in slices. Time while suspended is wall time, but nobody's own time.

At each suspension the frame is taken off the shadow stack of the thread, at each resumption it is put on the stack
that it finds there. So interleaved tasks, generators consumed elsewhere and coroutines that change threads come out
right.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CoroutineType, GeneratorType, TracebackType
from typing import Any, Callable

from .context import (
    CHILD,
    EDGE,
    FIRST,
    KIDS,
    OVERHEAD,
    OWN,
    PARENT,
    PAST_OVERHEAD,
    RUNNING,
    START,
    STATE,
    TOTALS,
    Frame,
)
from .queries import pass_up_slice
from .recorder import Hooks, Recorder, record_error

Slice = Callable[[Frame], None]


class Suspension:
    """The hooks of generators and coroutines over a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._clock = recorder.clock
        self._local = recorder.local
        self._resumptions = recorder.sampling.resumptions

    def hooks(self) -> Hooks:
        """The hooks by the names that rewritten code uses."""
        return {
            "__burnish_begin__": self.begin,
            "__burnish_abegin__": self.begin_in_entry,
            "__burnish_fail__": fail,
            "__burnish_end__": self.end,
            "__burnish_suspend__": self.suspend_with,
            "__burnish_resume__": self.resume,
            "__burnish_resumed__": self.resumed_with,
            "__burnish_await__": self.watch_awaitable,
            "__burnish_delegate__": self.watch_delegate,
            "__burnish_aiter__": self.watch_async_iterable,
            "__burnish_awith__": self.watch_async_with,
        }

    def begin(self, function: int) -> Frame:
        """The first slice of a generator starts."""
        parent = self._local.state.current
        try:
            edge = parent[KIDS][function]
        except KeyError:
            edge = self._recorder.edge_above(parent, function)
        return self._start(parent, edge, function)

    def begin_in_entry(self, function: int) -> Frame:
        """The first slice of a coroutine starts: it belongs to the entry of its task, whoever drives it."""
        parent = self._local.state.current
        entry = self._recorder.entry.get()
        if entry is None or not entry.open or parent[EDGE].context is entry:
            return self.begin(function)
        return self._start(parent, entry.edge(0, function), function)

    def _start(self, parent: Frame, edge: Any, function: int) -> Frame:
        if function in self._recorder.graph.watched:
            edge = self._recorder.sampling.edge(parent, edge, function)
        state = self._local.state
        now = self._clock()
        frame = [parent, edge.kids, 0, None, edge, state, now, 0, 0, now, True, None, 0]
        state.current = frame
        return frame

    def suspend(self, frame: Frame) -> None:
        """A slice ends. Does nothing if the frame is suspended already."""
        if not frame[RUNNING]:
            return
        self._end_slice(frame, self._clock())
        frame[RUNNING] = False

    def _end_slice(self, frame: Frame, now: int) -> None:
        ran = now - frame[START]
        parent = frame[PARENT]
        frame[OWN] += ran - frame[CHILD]
        frame[CHILD] = 0
        parent[CHILD] += ran
        parent[OVERHEAD] += frame[OVERHEAD]
        frame[PAST_OVERHEAD] += frame[OVERHEAD]
        frame[OVERHEAD] = 0
        self._resumptions[frame[EDGE].function] += 1
        pass_up_slice(frame)
        frame[STATE].current = parent

    def resume(self, frame: Frame) -> None:
        """A slice starts, on top of what this thread does now. Does nothing if the frame is running."""
        if frame[RUNNING]:
            return
        state = self._local.state
        frame[STATE] = state
        frame[PARENT] = state.current
        frame[RUNNING] = True
        frame[START] = self._clock()
        state.current = frame

    def end(self, frame: Frame) -> None:
        """The last slice ends. A generator closed while suspended has no last slice."""
        now = self._clock()
        if frame[RUNNING]:
            self._end_slice(frame, now)
        edge = frame[EDGE]
        edge.add_own(frame[OWN])
        edge.add_wall(now - frame[FIRST] - frame[PAST_OVERHEAD])
        if frame[TOTALS] is not None:
            edge.context.returned.append((edge.function, frame[TOTALS]))

    def suspend_with(self, frame: Frame, value: Any) -> Any:
        """``yield suspend_with(frame, value)``."""
        self.suspend(frame)
        return value

    def resumed_with(self, frame: Frame, value: Any) -> Any:
        """``resumed_with(frame, (yield …))``."""
        self.resume(frame)
        return value

    def watch_awaitable(self, frame: Frame, awaitable: Any) -> Any:
        """What to await instead of ``awaitable``; the same object where Python will refuse it."""
        if inspect.iscoroutine(awaitable) or _is_generator_coroutine(awaitable):
            return _Watch(self, frame, awaitable)
        return _Watch(self, frame, awaitable) if hasattr(type(awaitable), "__await__") else awaitable

    def watch_delegate(self, frame: Frame, iterable: Any) -> Any:
        """What to delegate to instead of ``iterable`` in a ``yield from``."""
        return iterable if isinstance(iterable, CoroutineType) else _Watch(self, frame, iterable)

    def watch_async_iterable(self, frame: Frame, iterable: Any) -> Any:
        """What to iterate over instead of ``iterable`` in an ``async for``."""
        return _AsyncIterable(self, frame, iterable) if hasattr(type(iterable), "__aiter__") else iterable

    def watch_async_with(self, frame: Frame, manager: Any) -> Any:
        """What to enter instead of ``manager`` in an ``async with``."""
        kind = type(manager)
        known = hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")
        return _AsyncManager(self, frame, manager) if known else manager


class _Watch:
    """Stands between a function and what it waits for, and tells when control passes out and in."""

    __slots__ = ("_frame", "_inner", "_iterator", "_suspension")

    def __init__(self, suspension: Suspension, frame: Frame, inner: Any) -> None:
        self._suspension, self._frame, self._inner = suspension, frame, inner
        self._iterator: Any = None

    def __await__(self) -> _Watch:
        inner = self._inner
        self._iterator = inner if _is_generator_coroutine(inner) else type(inner).__await__(inner)
        return self

    def __iter__(self) -> _Watch:
        if self._iterator is None:
            self._iterator = iter(self._inner)
        return self

    def __next__(self) -> Any:
        self._suspension.resume(self._frame)
        value = next(self._iterator)
        self._suspension.suspend(self._frame)
        return value

    def send(self, value: Any) -> Any:
        if value is None:
            return self.__next__()
        self._suspension.resume(self._frame)
        value = self._iterator.send(value)
        self._suspension.suspend(self._frame)
        return value

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        self._suspension.resume(self._frame)
        error = value if isinstance(value, BaseException) else kind
        if isinstance(error, type):
            error = error() if value is None else error(value)
        if not hasattr(self._iterator, "throw"):
            raise error.with_traceback(trace)
        value = self._iterator.throw(error)
        self._suspension.suspend(self._frame)
        return value

    def close(self) -> None:
        self._suspension.resume(self._frame)
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


class _AsyncIterable:
    __slots__ = ("_frame", "_inner", "_suspension")

    def __init__(self, suspension: Suspension, frame: Frame, inner: Any) -> None:
        self._suspension, self._frame, self._inner = suspension, frame, inner

    def __aiter__(self) -> _AsyncIterable:
        self._inner = type(self._inner).__aiter__(self._inner)
        return self

    def __anext__(self) -> Any:
        return self._suspension.watch_awaitable(self._frame, type(self._inner).__anext__(self._inner))


class _AsyncManager:
    __slots__ = ("_frame", "_inner", "_suspension")

    def __init__(self, suspension: Suspension, frame: Frame, inner: Any) -> None:
        self._suspension, self._frame, self._inner = suspension, frame, inner

    def __aenter__(self) -> Any:
        return self._suspension.watch_awaitable(self._frame, type(self._inner).__aenter__(self._inner))

    def __aexit__(self, *error: Any) -> Any:
        return self._suspension.watch_awaitable(self._frame, type(self._inner).__aexit__(self._inner, *error))


_OWN_CODE = frozenset(
    function.__code__
    for kind in (_Watch, _AsyncIterable, _AsyncManager)
    for function in vars(kind).values()
    if hasattr(function, "__code__")
)


def fail(frame: Frame) -> None:
    """Count an error, and take the sensor's own frames out of its traceback."""
    record_error(frame)
    error = sys.exc_info()[1]
    for trace in _traces(error.__traceback__ if error else None):
        while trace.tb_next is not None and trace.tb_next.tb_frame.f_code in _OWN_CODE:
            trace.tb_next = trace.tb_next.tb_next


def _traces(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_generator_coroutine(awaitable: Any) -> bool:
    """Whether an object was made by a ``types.coroutine`` generator, which has no ``__await__``."""
    return isinstance(awaitable, GeneratorType) and bool(awaitable.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE)
