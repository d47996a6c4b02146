"""The recorder over the optional C extension ``_core``: the same results as ``recorder.py``, at a tenth of the cost."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextvars import ContextVar
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Callable

from . import __version__
from .calls import Clock, Hooks, Token
from .context import CallGraph
from .histogram import BOUNDS
from .queries import CallQueries
from .sampling import Sampling
from .totals import CallTotals, Totals
from .work import Work

if TYPE_CHECKING:
    from .meter import Meter
    from .window import Window

#: rows taken from the tables at once, so that the GIL is held for less than 1 ms
_ROWS = 100


def load() -> Any | None:
    """The extension; None where it was not built or not for this version, where ``BURNISH_NATIVE`` is ``off``, and
    where there is no GIL: it is the only lock of the extension."""
    if os.environ.get("BURNISH_NATIVE", "").lower() == "off" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    try:
        from . import _core  # type: ignore[attr-defined]
    except ImportError:
        return None
    return _core if __version__ == _core.VERSION else None


class _Graph(CallGraph):
    """Knows which functions are sampled; who calls whom the extension finds out by itself."""

    def __init__(self, core: Any) -> None:
        super().__init__()
        self._core = core
        self._sampled: frozenset[int] = frozenset()

    def watch(self, shed: frozenset[int]) -> None:
        for function in shed ^ self._sampled:
            self._core.set_sampled(function, function in shed)
        self._sampled = shed


class NativeRecorder:
    """See ``calls.Calls``. ``clock`` is for tests; by default the extension reads the system's steady clock itself."""

    def __init__(self, module: Any, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or monotonic_ns
        self.entry: ContextVar[Work | None] = ContextVar("burnish_entry", default=None)
        self.open: set[Work] = set()
        self.ended: deque[Work] = deque()
        self._context = _context_class(module)
        #: the extension's recorder; what is only for the governor is called there
        self.core = module.Recorder(self.entry, self._new_root, CallQueries, BOUNDS, clock)
        self.core.wake = lambda: None
        self.sampling = Sampling(_Graph(self.core), self.clock)
        #: what was folded of entries whose name is not known yet
        self._partials: dict[Work, Totals] = {}
        for name in ("context", "function", "queries", "suspend", "resume", "error", "grew", "rouse", "set_trigger"):
            setattr(self, name, getattr(self.core, name))

    if TYPE_CHECKING:
        context: Callable[[], Work]
        function: Callable[[], int]
        queries: Callable[[Callable[[], Any]], Any | None]
        suspend: Callable[[Token], None]
        resume: Callable[[Token], None]
        error: Callable[[Token], None]
        grew: Callable[[], bool]
        rouse: Callable[[], None]
        set_trigger: Callable[[int, int, int], None]

    @property
    def capture(self) -> Callable[..., None] | None:
        """See ``Calls``."""
        capture: Callable[..., None] | None = self.core.capture
        return capture

    @capture.setter
    def capture(self, capture: Callable[..., None] | None) -> None:
        self.core.capture = capture

    @property
    def wake(self) -> Callable[[], None]:
        """See ``Calls``."""
        wake: Callable[[], None] = self.core.wake
        return wake

    @wake.setter
    def wake(self, wake: Callable[[], None]) -> None:
        self.core.wake = wake

    def _new_root(self) -> Work:
        context = self.new_context("", "")
        self.open.add(context)
        return context

    def new_context(self, name: str, kind: str) -> Work:
        """See ``Calls``; so all below."""
        context: Work = self._context(name, kind)
        return context

    def push_entry(self, context: Work) -> Token:
        context.start = self.clock()
        self.open.add(context)
        return self.core.push_entry(context) or context

    def pop_entry(self, token: Token) -> None:
        context: Work = token if isinstance(token, Work) else token.context
        context.wall = self.clock() - context.start
        self.core.pop_entry(token)
        self._end(context)
        self.wake()

    def _end(self, context: Work) -> None:
        context.open = False
        self.core.fold(context, context.name)
        self.open.discard(context)
        self.ended.append(context)

    def call_hooks(self, cost: int = 0) -> Hooks:
        core = self.core
        core.cost = cost
        return {
            "__burnish_enter__": core.enter,
            "__burnish_leave__": core.leave,
            "__burnish_error__": core.error,
            "__burnish_leave_top__": core.leave_top,
            "__burnish_error_top__": core.error_top,
            "__burnish_raised__": core.raised,
            "__burnish_begin__": core.begin,
            "__burnish_abegin__": core.begin_in_entry,
            "__burnish_end__": core.end,
            "__burnish_resume__": core.resume,
        }

    # What was recorded

    def take(self, window: Window, meter: Meter | None = None) -> None:
        for context in self.core.reap():
            self._end(context)
        for context in list(self.open):
            if context.name or not context.kind:
                self.core.fold(context, context.name)
                window.totals_of(context.name).drain(context, self.sampling)
            else:
                self._partials.setdefault(context, Totals()).drain(context, self.sampling)
        while self.ended:
            context = self.ended.popleft()
            window.end(context, self._partials.pop(context, None)).drain(context, self.sampling)
        self._take_calls(window)
        if meter is not None:
            self._read(meter)

    def _take_calls(self, window: Window) -> None:
        totals: dict[str, Totals] = {}
        while True:
            rows = self.core.take(_ROWS)
            if not rows:
                return
            for name, function, sampled, calls, callers, wall, own, errors in rows:
                if name not in totals:
                    totals[name] = window.totals_of(name)
                table = totals[name].sampled if sampled else totals[name].calls
                row = table.get(function)
                if row is None:
                    row = table[function] = CallTotals()
                row.add_counts(callers, wall, own, errors)
                window.calls += calls

    def _read(self, meter: Meter) -> None:
        shed = self.sampling.shed
        for function, calls, wall in self.core.meter():
            if function not in shed:
                meter.calls[function] += calls
                meter.wall[function] += wall
        for function, slices in self.core.resumptions():
            self.sampling.slices[function] += slices

    def forget(self) -> None:
        self.core.forget()
        for context in [*self.open, *self.ended]:
            context.forget()
            self.core.clear(context)
        self.ended.clear()
        self._partials.clear()
        root = self.core.root()
        self.open = {context for context in self.open if context.kind or context is root}


def _context_class(module: Any) -> Any:
    """The class of contexts over the extension's base."""
    known = _classes.get(module)
    if known is None:
        known = _classes[module] = type("NativeContext", (Work, module.CallLog), {"__module__": __name__})
    return known


_classes: dict[Any, Any] = {}
