"""What a hook into a library may use: the clock, the statements, the query log, the dependencies and the entries."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Callable, Optional, Union
from weakref import ref

from .entries.entries import Entries
from .entries.notes import Notes
from .queries.dependencies import DependencyLog, Endpoint, Failure
from .queries.log import UNKNOWN, Execution, QueryLog, Site
from .queries.statements import Statements
from .recording.calls import Clock

__all__ = ["UNKNOWN", "Guard", "Probe"]


class Guard:
    """One operation of a library being recorded: while it is open, the libraries below it record nothing."""

    __slots__ = ("__weakref__", "open", "retries", "site", "start")

    def __init__(self, start: int, site: Site | None) -> None:
        self.open = True
        self.start, self.site = start, site
        self.retries = 0


class _Lent:
    """Stands for a guard that perhaps nobody will close: it is open no longer than its owner keeps it."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Guard) -> None:
        self._guard = ref(guard)

    @property
    def open(self) -> bool:
        guard = self._guard()
        return guard is not None and guard.open


_Inside = ContextVar[Optional[Union[Guard, _Lent]]]


class Probe:
    """Records what libraries do. No method raises. ``active`` is False once the sensor was stopped."""

    def __init__(
        self, clock: Clock, statements: Statements, log: QueryLog, dependencies: DependencyLog, entries: Entries
    ) -> None:
        self.clock, self.entries = clock, entries
        self._statements, self._log, self._dependencies = statements, log, dependencies
        self._notes = Notes()
        self._statement: _Inside = ContextVar("burnish_statement", default=None)
        self._dependency: _Inside = ContextVar("burnish_dependency", default=None)
        self._carried: ContextVar[Site | None] = ContextVar("burnish_site", default=None)
        self._left: ContextVar[Site | None] = ContextVar("burnish_left", default=None)
        self.active = True
        #: writes what is finished; for processes that end without ``atexit``
        self.flush: Callable[[], None] = lambda: None

    def statement(self) -> Guard | None:
        """Begin to record a statement: None where a library above this one records it, or nothing is recorded.

        Its call site is that of this call, so that it is right for a coroutine that another task will run. Whoever
        begins must end it with ``executed`` or set ``open`` to False, whatever happens.
        """
        return self._outermost(self._statement)

    def lent_statement(self) -> Guard | None:
        """The same for those who may never hear of its end: it ends with the object that holds the guard."""
        guard = self._outermost(self._statement)
        if guard is not None:
            self._statement.set(_Lent(guard))
        return guard

    def dependency(self) -> Guard | None:
        """As ``statement``, for a call of another service."""
        return self._outermost(self._dependency)

    def _outermost(self, inside: _Inside) -> Guard | None:
        if not self.active:
            return None
        try:
            outer = inside.get()
            if outer is not None and outer.open:
                return None
            site = self._log.site(self._left.get()) or self._carried.get()
            guard = Guard(self.clock(), site)
            inside.set(guard)
        except Exception:  # noqa: BLE001 - the edge
            return None
        return guard

    def note(self, key: Any, value: Any, blend: bool = False) -> None:
        """Note a fact of the running entry (``entries/notes.py``). ``blend``: it happens several times in one."""
        if not self.active:
            return
        try:
            (self._notes.blend if blend else self._notes.take)(self.entries.current(), key, value)
        except Exception:  # noqa: BLE001 - the edge
            pass

    def running_dependency(self) -> Guard | None:
        """The call of another service that is being recorded here."""
        outer = self._dependency.get()
        return outer if isinstance(outer, Guard) and outer.open else None

    def carry(self) -> Token[Site | None] | None:
        """Make the current call site that of a task about to be made, if an application function is on the stack."""
        return self._keep(self._carried)

    def leave(self) -> Token[Site | None] | None:
        """Make the current call site that of what a greenlet, which shares the context, does for this function."""
        return self._keep(self._left)

    def _keep(self, variable: ContextVar[Site | None]) -> Token[Site | None] | None:
        try:
            site = self._log.site() if self.active else None
            return variable.set(site) if site is not None else None
        except Exception:  # noqa: BLE001 - the edge
            return None

    @staticmethod
    def take_back(token: Token[Site | None] | None) -> None:
        """The end of ``carry`` or ``leave``."""
        try:
            if token is not None:
                token.var.reset(token)
        except ValueError:  # a coroutine that is ended in another context than it was begun in
            pass

    def resume(self, guard: Guard) -> None:
        """Begin in this task what was begun where its coroutine was made; the call site stays."""
        guard.open, guard.start = True, self.clock()
        self._statement.set(guard)

    def resume_dependency(self, guard: Guard) -> None:
        """The same for a call of another service."""
        guard.open, guard.start = True, self.clock()
        self._dependency.set(guard)

    def called(self, guard: Guard, endpoint: Endpoint, error: BaseException | None, status: int | None) -> None:
        """End a guard of ``dependency``. A call without a site is nobody's."""
        guard.open = False
        if not self.active or guard.site is None:
            return
        try:
            wall = self.clock() - guard.start
            self._dependencies.called(endpoint, guard.site, wall, Failure(error, status, guard.retries))
            if guard.retries:
                self.note("retries." + endpoint[0], guard.retries)
        except Exception:  # noqa: BLE001 - the edge
            pass

    def executed(
        self, guard: Guard, sql: Any, parameters: Any, system: str, error: BaseException | None = None
    ) -> Execution | None:
        """End a guard of ``statement``. ``parameters`` is UNKNOWN where there are many sets of them."""
        guard.open = False
        if not self.active:
            return None
        try:
            wall = self.clock() - guard.start
            text = sql if isinstance(sql, str) else str(sql)
            given = UNKNOWN if parameters is UNKNOWN else (text, parameters)
            name = type(error).__name__ if error is not None else None
            statement = self._statements.identify(text, system)
            return self._log.executed(statement, given, wall, name, guard.site)
        except Exception:  # noqa: BLE001 - the edge
            return None

    def fetched(self, execution: Execution | None, rows: int, wall: int) -> None:
        """Record fetched rows; does nothing for an execution that was not recorded."""
        if execution is None or not self.active:
            return
        try:
            self._log.fetched(execution, rows, wall)
        except Exception:  # noqa: BLE001 - the edge
            pass
