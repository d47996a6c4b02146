"""What a hook into a library may use: the clock, the statements, the query log, the dependencies and the entries."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Callable

from .entries.entries import Entries
from .entries.notes import Notes
from .queries.dependencies import DependencyLog, Endpoint, Failure
from .queries.log import UNKNOWN, QueryLog, Site
from .recording.calls import Clock

__all__ = ["UNKNOWN", "Guard", "Probe"]


class Guard:
    """A call of another service being recorded: while it is open, the libraries below it record nothing."""

    __slots__ = ("open", "retries", "site", "start")

    def __init__(self, start: int, site: Site | None) -> None:
        self.open = True
        self.start, self.site = start, site
        self.retries = 0


class Probe:
    """Records what libraries do. No method raises.

    What is called for each statement is that of the query log itself, which may be in C: hooks keep the bound methods.
    """

    def __init__(self, clock: Clock, log: QueryLog, dependencies: DependencyLog, entries: Entries) -> None:
        #: that of the recorder
        self.clock, self.entries = clock, entries
        self._log, self._dependencies = log, dependencies
        self._notes = Notes()
        self._dependency: ContextVar[Guard | None] = ContextVar("burnish_dependency", default=None)
        self.statement, self.lent_statement, self.resume = log.statement, log.lent_statement, log.resume
        self.executed, self.fetched, self.fetched_since = log.executed, log.fetched, log.fetched_since
        self.carry, self.leave = log.carry, log.leave
        self.execute_method, self.fetch_method = log.execute_method, log.fetch_method
        #: writes what is finished; for processes that end without ``atexit``
        self.flush: Callable[[], None] = lambda: None

    @property
    def active(self) -> bool:
        """False once the sensor was stopped."""
        return self._log.active

    @active.setter
    def active(self, active: bool) -> None:
        self._log.active = active

    def dependency(self) -> Guard | None:
        """As ``statement`` of the query log, for a call of another service."""
        if not self._log.active:
            return None
        try:
            outer = self._dependency.get()
            if outer is not None and outer.open:
                return None
            site = self._log.site()
            guard = Guard(self.clock(), site)
            self._dependency.set(guard)
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
        return outer if outer is not None and outer.open else None

    @staticmethod
    def take_back(token: Token[Site | None] | None) -> None:
        """The end of ``carry`` or ``leave``."""
        try:
            if token is not None:
                token.var.reset(token)
        except ValueError:  # a coroutine that is ended in another context than it was begun in
            pass

    def resume_dependency(self, guard: Guard) -> None:
        """As ``resume`` of the query log, for a call of another service."""
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
