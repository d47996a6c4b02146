"""What rewritten generators and coroutines call where control passes out of them and in again.

Each such place is a suspension and a resumption for the recorder. So interleaved tasks, generators consumed elsewhere
and coroutines that change threads come out right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CoroutineType, GeneratorType, TracebackType
from typing import Any

from ..recording.calls import Calls, Hooks, Token

_CO_ITERABLE_COROUTINE = 0x100


class Suspension:
    """The hooks of suspensions over a recorder."""

    def __init__(self, recorder: Calls) -> None:
        self._recorder = recorder
        #: of the recorder, for what stands between a function and what it waits for
        self.suspend, self.resume = recorder.suspend, recorder.resume

    def hooks(self) -> Hooks:
        """The hooks by the names that rewritten code uses."""
        return {
            "__burnish_fail__": self.fail,
            "__burnish_suspend__": self.suspend_with,
            "__burnish_resumed__": self.resumed_with,
            "__burnish_await__": self.watch_awaitable,
            "__burnish_delegate__": self.watch_delegate,
            "__burnish_aiter__": self.watch_async_iterable,
            "__burnish_awith__": self.watch_async_with,
        }

    def suspend_with(self, frame: Token, value: Any) -> Any:
        """``yield suspend_with(frame, value)``."""
        self.suspend(frame)
        return value

    def resumed_with(self, frame: Token, value: Any) -> Any:
        """``resumed_with(frame, (yield …))``."""
        self.resume(frame)
        return value

    def fail(self, frame: Token) -> None:
        """Count the exception being handled, and hide that the sensor stood between."""
        self._recorder.error(frame)
        _clean_traceback()

    def watch_awaitable(self, frame: Token, awaitable: Any) -> Any:
        """What to await instead of ``awaitable``; the same object where Python will refuse it."""
        if isinstance(awaitable, CoroutineType) or _is_generator_coroutine(awaitable):
            return _Watch(self, frame, awaitable)
        return _Watch(self, frame, awaitable) if hasattr(type(awaitable), "__await__") else awaitable

    def watch_delegate(self, frame: Token, iterable: Any) -> Any:
        """What to delegate to instead of ``iterable`` in a ``yield from``."""
        return iterable if isinstance(iterable, CoroutineType) else _Watch(self, frame, iterable)

    def watch_async_iterable(self, frame: Token, iterable: Any) -> Any:
        """What to iterate over instead of ``iterable`` in an ``async for``."""
        return _AsyncIterable(self, frame, iterable) if hasattr(type(iterable), "__aiter__") else iterable

    def watch_async_with(self, frame: Token, manager: Any) -> Any:
        """What to enter instead of ``manager`` in an ``async with``."""
        kind = type(manager)
        known = hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")
        return _AsyncManager(self, frame, manager) if known else manager


class _Watch:
    """Stands between a function and what it waits for, and tells when control passes out and in."""

    __slots__ = ("_frame", "_inner", "_iterator", "_suspension")

    def __init__(self, suspension: Suspension, frame: Token, inner: Any) -> None:
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

    def __init__(self, suspension: Suspension, frame: Token, inner: Any) -> None:
        self._suspension, self._frame, self._inner = suspension, frame, inner

    def __aiter__(self) -> _AsyncIterable:
        self._inner = type(self._inner).__aiter__(self._inner)
        return self

    def __anext__(self) -> Any:
        return self._suspension.watch_awaitable(self._frame, type(self._inner).__anext__(self._inner))


class _AsyncManager:
    __slots__ = ("_frame", "_inner", "_suspension")

    def __init__(self, suspension: Suspension, frame: Token, inner: Any) -> None:
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


def _clean_traceback() -> None:
    """Take the sensor's own frames out of the traceback of the exception being handled."""
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
    return isinstance(awaitable, GeneratorType) and bool(awaitable.gi_code.co_flags & _CO_ITERABLE_COROUTINE)
