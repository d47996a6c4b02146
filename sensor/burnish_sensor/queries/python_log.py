"""The query log over the pure recorder. Over the native one it is in C, with equal results: see ``_statements.h``."""

from __future__ import annotations

import itertools
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any
from weakref import ref

from .log import UNKNOWN, Execution, Method, Site, hash_parameters, site_in_greenlets

if TYPE_CHECKING:
    from ..recording.recorder import Recorder
    from .statements import Statements


class Guard:
    """A statement being recorded: while it is open, the libraries below it record nothing."""

    __slots__ = ("__weakref__", "open", "site", "start")

    def __init__(self, start: int, site: Site | None) -> None:
        self.open = True
        self.start, self.site = start, site


class _Lent:
    """Stands for a guard that perhaps nobody will close: it is open no longer than its owner keeps it."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Guard) -> None:
        self._guard = ref(guard)

    @property
    def open(self) -> bool:
        guard = self._guard()
        return guard is not None and guard.open


class PythonQueryLog:
    """See ``QueryLog``. ``files`` maps the path of a rewritten module to its relative path."""

    def __init__(self, recorder: Recorder, statements: Statements, files: dict[str, str]) -> None:
        self._recorder, self._statements, self._files = recorder, statements, files
        self._clock = recorder.clock
        self._orders = itertools.count(1)
        self._inside: ContextVar[Guard | _Lent | None] = ContextVar("burnish_statement", default=None)
        self._carried: ContextVar[Site | None] = ContextVar("burnish_site", default=None)
        self._left: ContextVar[Site | None] = ContextVar("burnish_left", default=None)
        self.active = True

    def statement(self) -> Guard | None:
        """See ``QueryLog``; so all below."""
        if not self.active:
            return None
        try:
            outer = self._inside.get()
            if outer is not None and outer.open:
                return None
            site = self.site()
            guard = Guard(self._clock(), site)
            self._inside.set(guard)
        except Exception:  # noqa: BLE001 - the edge
            return None
        return guard

    def lent_statement(self) -> Guard | None:
        guard = self.statement()
        if guard is not None:
            self._inside.set(_Lent(guard))
        return guard

    def resume(self, guard: Guard) -> None:
        guard.open, guard.start = True, self._clock()
        self._inside.set(guard)

    def executed(
        self, guard: Guard, sql: Any, parameters: Any, system: str, error: BaseException | None = None
    ) -> Execution | None:
        guard.open = False
        if not self.active:
            return None
        try:
            wall = self._clock() - guard.start
            text = sql if isinstance(sql, str) else str(sql)
            given = UNKNOWN if parameters is UNKNOWN else (text, parameters)
            name = type(error).__name__ if error is not None else None
            statement = self._statements.identify(text, system)
            return self._executed(statement, hash_parameters(given), wall, name, guard.site)
        except Exception:  # noqa: BLE001 - the edge
            return None

    def _executed(
        self, statement: str, parameters: int | None, wall: int, error: str | None, site: Site | None
    ) -> Execution | None:
        """None without a site: it is nobody's."""
        context = self._recorder.context()
        context.query_count += 1
        if site is None:
            return None
        key = (statement, site)
        execution = Execution(key, next(self._orders), wall, error)
        context.executions.append(execution)
        self._recorder.ran(key, execution.order, wall, parameters)
        return execution

    def fetched_since(self, execution: Execution | None, rows: int, start: int) -> None:
        if execution is not None:
            self.fetched(execution, rows, self._clock() - start)

    def fetched(self, execution: Execution | None, rows: int, wall: int) -> None:
        if execution is None or not self.active:
            return
        try:
            before = execution.rows or 0
            execution.rows = before + rows
            execution.wall += wall
            if not execution.waiting:
                execution.waiting = True
                self._recorder.context().executions.append(execution)
            self._recorder.fetched(execution.key, execution.order, rows, wall, before <= 1 < execution.rows)
        except Exception:  # noqa: BLE001 - the edge
            pass

    def execute_method(self, plain: Method, original: Method, system: str | None, many: bool) -> Method:
        return plain

    def fetch_method(self, plain: Method, original: Method | str, one: bool) -> Method:
        return plain

    def site(self) -> Site | None:
        return self._here(self._left.get()) or self._carried.get()

    def _here(self, left: Site | None = None) -> Site | None:
        found = self._recorder.site(self._files, left)
        if isinstance(found, int):
            return site_in_greenlets(found, self._files) if found else None
        return found

    def carry(self) -> Token[Site | None] | None:
        return self._keep(self._carried)

    def leave(self) -> Token[Site | None] | None:
        return self._keep(self._left)

    def _keep(self, variable: ContextVar[Site | None]) -> Token[Site | None] | None:
        try:
            site = self._here() if self.active else None
            return variable.set(site) if site is not None else None
        except Exception:  # noqa: BLE001 - the edge
            return None
