"""The recorder over the optional C extension ``_core``: the same results as ``recorder.py``, at a tenth of the cost."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextvars import ContextVar
from types import CodeType
from typing import TYPE_CHECKING, Any, Callable

from .. import __version__, threads
from ..mechanisms.registry import OTHER
from ..mechanisms.switch import TIMED
from ..queries.log import UNKNOWN, site_in_greenlets
from .calls import Clock, Hooks, Token
from .context import CallGraph
from .histogram import BOUNDS
from .meter import Meter
from .rows import ApartRow, CoreRows
from .sampling import Sampling
from .totals import Totals
from .triggers import FIRST_SLOW_NS
from .work import Work

if TYPE_CHECKING:
    from ..queries.log import QueryLog, Site
    from ..queries.statements import Statements
    from ..windows.window import Window

#: rows taken from the tables at once, so that the GIL is held for less than 1 ms
_ROWS = 100
#: functions asked for their calls at once; the same
_FUNCTIONS = 2_000


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


class _Sampling(Sampling):
    """The same over the extension, which finds out by itself who calls whom."""

    def __init__(self, core: Any, clock: Clock) -> None:
        self._core = core
        super().__init__(CallGraph(), clock)
        self._recorded: dict[int, tuple[int, int]] = {}

    @property
    def over(self) -> Callable[[], None]:
        """Called where a phase is over, by the thread that finds out."""
        over: Callable[[], None] = self._core.full
        return over

    @over.setter
    def over(self, over: Callable[[], None]) -> None:
        self._core.full = over

    def use(self, shed: frozenset[int]) -> None:
        for function in shed ^ self.shed:
            self._core.set_sampled(function, function in shed)
        self.shed = shed

    def know(self, code: CodeType, function: int, reports: bool) -> None:
        self._core.register_code(code, function)

    def begin_phase(self, form: int, ns: int) -> None:
        self._recorded.clear()
        self._core.slice_end = self._clock() + ns
        if form == TIMED:
            self._core.seed(self.shed)

    def note(self, function: int, calls: int, wall: int) -> None:
        """Calls of a sampled function were recorded."""
        before = self._recorded.get(function, (0, 0))
        self._recorded[function] = before[0] + calls, before[1] + wall

    def recorded(self) -> dict[int, tuple[int, int]]:
        """See ``Sampling``."""
        self.read()
        recorded, self._recorded = self._recorded, {}
        return recorded

    read: Callable[[], None]


class _Here(threads.local):  # type: ignore[misc]
    """The greenlet that a thread began with; 0: it was not asked yet."""

    own = 0


class NativeRecorder:
    """See ``calls.Calls``. ``clock`` is for tests; by default the extension reads the system's steady clock itself."""

    def __init__(self, module: Any, clock: Clock | None = None) -> None:
        self._module = module
        self.entry: ContextVar[Work | None] = ContextVar("burnish_entry", default=None)
        self.open: set[Work] = set()
        self.ended: deque[Work] = deque()
        self.new_context: Callable[[str, str], Work] = _context_class(module)
        #: the extension's recorder; what is only for the governor is called there
        self.core = module.Recorder(self.entry, self._new_root, BOUNDS, clock)
        self.core.wake = lambda: None
        self.clock: Clock = clock or self.core.now
        self.missing, self.screen = module.MISSING, self.core
        self.sampling = _Sampling(self.core, self.clock)
        self.sampling.read = self._read
        self._meter = Meter()
        self._here = _Here()
        #: what was folded of entries whose name is not known yet
        self._partials: dict[Work, Totals] = {}
        for name in ("context", "function", "suspend", "resume", "error", "grew", "rouse"):
            setattr(self, name, getattr(self.core, name))

    if TYPE_CHECKING:
        context: Callable[[], Work]
        function: Callable[[], int]
        suspend: Callable[[Token], None]
        resume: Callable[[Token], None]
        error: Callable[[Token], None]
        grew: Callable[[], bool]
        rouse: Callable[[], None]

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

    def push_entry(self, context: Work) -> Token:
        """See ``Calls``; so all below."""
        self.open.add(context)
        return self.core.push_entry(context) or context

    def pop_entry(self, token: Token) -> None:
        context: Work = token if isinstance(token, Work) else token.context
        self.core.pop_entry(token)
        self._end(context)
        self.wake()

    def _end(self, context: Work) -> None:
        context.open = False
        self.core.fold(context, context.name)
        self.open.discard(context)
        self.ended.append(context)

    def query_log(self, statements: Statements, files: dict[str, str]) -> QueryLog:
        def elsewhere(function: int) -> Site | None:
            return site_in_greenlets(function, files)

        log: QueryLog = self._module.QueryLog(
            self.core, files, statements.by_raw, statements.identify, elsewhere, UNKNOWN
        )
        return log

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

    def set_trigger(self, function: int, slow_ns: int, every: int) -> None:
        self.core.set_trigger(function, slow_ns, every)

    def show_to(self, capture: Callable[..., None]) -> None:
        self.core.capture, self.core.first_slow_ns = capture, FIRST_SLOW_NS

    def switch_stack(self, key: int, base: int = 0) -> None:
        here = self._here
        if not here.own:
            here.own = key  # the extension's stack 0
        elif not base:
            self.core.switch_stack(0 if key == here.own else key)
        else:
            self.core.switch_stack(0 if key == here.own else key, 0 if base == here.own else base)

    def drop_stack(self, key: int) -> None:
        self.core.drop_stack(key)

    # What was recorded

    def pending(self) -> int:
        calls: int = self.core.pending(self.open)
        return calls + len(self.ended) + sum(len(context.dependencies) for context in list(self.open))

    def memory(self) -> int:
        held: int = self.core.memory()
        return held

    def narrow(self, level: int) -> None:
        self.core.narrow(level)

    @property
    def dropped_rows(self) -> int:
        """See ``Calls``."""
        dropped: int = self.core.given_up()
        return dropped

    def take(self, window: Window, meter: Meter | None = None, last: bool = True) -> None:
        for context in self.core.reap():
            self._end(context)
        for context in list(self.open):
            if context.name or not context.kind:
                self.core.fold(context, context.name, True)
                window.totals_of(context.name).drain(context)
            else:
                self.core.fold_nameless(context)
                self._partials.setdefault(context, Totals()).drain(context)
        for _ in range(len(self.ended)):  # and not those that end in the meantime
            context = self.ended.popleft()
            self.core.fold(context, context.name, True)
            window.end(context, self._partials.pop(context, None)).drain(context)
        self.core.folded = 0
        if last:
            self._take_calls(window)
        self._read()
        if meter is not None:
            meter.calls.update(self._meter.calls)
            meter.wall.update(self._meter.wall)
            self._meter.restart()

    def _take_calls(self, window: Window) -> None:
        if window.direct:
            self._leave_rows(window)
        totals: dict[str, Totals] = {}
        while True:
            rows, uses, queries = self.core.take(_ROWS)
            if not rows and not uses and not queries:
                break
            for name, *query in queries:
                if name not in totals:
                    totals[name] = window.totals_of(name)
                totals[name].add_query(*query)
            for name, *use in uses:
                if name not in totals:
                    totals[name] = window.totals_of(name)
                totals[name].add_use(*use)
            for row in rows:
                if row[0] not in totals:
                    totals[row[0]] = window.totals_of(row[0])
                window.calls += row[3]
                _add_row(totals[row[0]], row)
        window.dropped_rows += self.core.dropped_uses
        self.core.dropped_uses = 0

    def _leave_rows(self, window: Window) -> None:
        """Leave the rows where they are until they are written, but for those that somebody looks at."""

        def ended(name: str) -> int:
            return window.entries[name].wall.count if name in window.entries else 0

        rows = CoreRows(self.core, window.estimated | self.sampling.shed, ended)
        for place, name in enumerate(rows.names):
            totals = window.totals_of(name)
            shared = name == OTHER or totals is not window.totals.get(name)
            for apart in rows.apart(place, shared):
                for row in apart:
                    _add_row(totals, row)
        window.rows = rows
        window.calls += rows.calls

    def _read(self) -> None:
        shed, meter = self.sampling.shed, self._meter
        first = 0
        while (found := self.core.meter(first, _FUNCTIONS)) is not None:
            for function, calls, wall in found:
                if function in shed:
                    self.sampling.note(function, calls, wall)
                else:
                    meter.calls[function] += calls
                    meter.wall[function] += wall
            first += _FUNCTIONS
        for function, slices in self.core.resumptions():
            self.sampling.resumptions[function] += slices
        for function, site in self.core.asking():
            self.sampling.ran_statement(function, site)

    def forget(self) -> None:
        self.core.forget()
        for context in [*self.open, *self.ended]:
            context.forget()
            self.core.clear(context)
        self.ended.clear()
        self._partials.clear()
        root = self.core.root()
        self.open = {context for context in self.open if context.kind or context is root}


def _add_row(totals: Totals, row: ApartRow) -> None:
    _, function, sampled, _, callers, wall, own, errors = row
    (totals.sampled if sampled else totals.calls)[function].add_counts(callers, wall, own, errors)


def _context_class(module: Any) -> Any:
    """The class of contexts over the extension's base."""
    known = _classes.get(module)
    if known is None:
        known = _classes[module] = type("NativeContext", (Work, module.CallLog), {"__module__": __name__})
    return known


_classes: dict[Any, Any] = {}
