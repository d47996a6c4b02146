"""SQL: which call ran which statement, where, how often, with how many rows.

A call in which a statement ran has a ``CallQueries`` (in the native recorder: what ``_queries.h`` has); when it ends,
the recorder hands that over for folding and adds it to the call below, so that each function on the stack knows what
one call of it caused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextvars import Token
from types import FrameType
from typing import Any, Callable, Protocol

#: (number of the function, file, line)
Site = tuple[int, str, int]
#: (statement id, site)
Key = tuple[str, Site]
Method = Callable[..., Any]

_KEYS_PER_CALL = 200
_HASHES_PER_KEY = 1_000
_DRIVERS_PER_CALL = 256
_OPTIMIZED = 0x1  # CO_OPTIMIZED: a function's code, not that of a module or class body
_SALT = object()
#: parameters that cannot be compared: those of an ``executemany``
UNKNOWN = object()


class Execution:
    """One execution. ``rows`` is None until the driver tells; ``wall`` (ns) grows while rows are fetched.

    It waits to be folded while ``waiting``. Rows that are fetched after that make it wait once more: ``counted`` are
    the rows that were folded (None: it was not folded yet).
    """

    __slots__ = ("counted", "error", "key", "order", "rows", "waiting", "wall")

    #: it is no guard
    open = False

    def __init__(self, key: Key, order: int, wall: int, error: str | None) -> None:
        self.key, self.order, self.wall, self.error = key, order, wall, error
        self.rows: int | None = None
        self.counted: int | None = None
        self.waiting = True

    def take_rows(self) -> int | None:
        """For the thread that folds: the rows since it last asked. What comes meanwhile waits for the next time."""
        self.waiting = False
        rows, counted = self.rows, self.counted
        self.counted = rows or 0
        return rows if rows is None or counted is None else rows - counted


class KeyQueries:
    """The executions of one statement at one site within one call."""

    __slots__ = ("first", "hashes", "identical", "n", "rows", "time")

    def __init__(self, first: int) -> None:
        self.first, self.n, self.identical, self.rows, self.time = first, 0, 0, 0, 0
        self.hashes: set[int] = set()

    def use(self, parameters: int | None) -> None:
        """Count an execution as identical if its parameters were used before in this call."""
        if parameters is None:
            return
        if parameters in self.hashes:
            self.identical += 1
        elif len(self.hashes) < _HASHES_PER_KEY:
            self.hashes.add(parameters)

    def add(self, other: KeyQueries) -> None:
        """Add what a call below did; parameters of both are identical once more."""
        self.first = min(self.first, other.first)
        self.n += other.n
        self.rows += other.rows
        self.time += other.time
        self.identical += other.identical + len(self.hashes & other.hashes)
        if len(self.hashes) < _HASHES_PER_KEY:
            self.hashes |= other.hashes


class CallQueries:
    """What one call ran. ``drivers``: (order, key) of executions that returned more than one row, in order."""

    __slots__ = ("drivers", "keys")

    def __init__(self) -> None:
        self.keys: dict[Key, KeyQueries] = {}
        self.drivers: list[tuple[int, Key]] = []

    def ran(self, key: Key, order: int, wall: int, parameters: int | None) -> None:
        """The ``order``-th statement of the process ran; ``parameters`` are their hash, None where it is not known."""
        record = self.at(key, order)
        if record is not None:
            record.n += 1
            record.time += wall
            record.use(parameters)

    def fetched(self, key: Key, order: int, rows: int, wall: int, drives: bool) -> None:
        """So many more rows of it were fetched; ``drives``: now they are more than one."""
        record = self.at(key, order)
        if record is not None:
            record.rows += rows
            record.time += wall
            if drives:
                self.note_driver(order, key)

    def at(self, key: Key, order: int) -> KeyQueries | None:
        """The record of a statement at a site; None when this call has too many different ones."""
        record = self.keys.get(key)
        if record is None and len(self.keys) < _KEYS_PER_CALL:
            record = self.keys[key] = KeyQueries(order)
        return record

    def add(self, other: CallQueries) -> None:
        """Add what a call made by this one did."""
        for key, theirs in other.keys.items():
            mine = self.at(key, theirs.first)
            if mine is not None:
                mine.add(theirs)
        for order, key in other.drivers:
            self.note_driver(order, key)

    def note_driver(self, order: int, key: Key) -> None:
        """Remember an execution that returned more than one row; a run of the same statement counts once."""
        if len(self.drivers) < _DRIVERS_PER_CALL and not (self.drivers and self.drivers[-1][1] == key):
            self.drivers.append((order, key))

    def driver_of(self, key: Key) -> Key | None:
        """The last other statement with more than one row before the first execution of ``key``."""
        first = self.keys[key].first
        found = [(order, other) for order, other in self.drivers if order < first and other[0] != key[0]]
        return max(found)[1] if found else None


def hash_parameters(parameters: Any) -> int | None:
    """A salted hash of the raw text and the parameters of an execution; None where they have no stable form."""
    if parameters is UNKNOWN:
        return None
    text, values = parameters
    kind = type(values)
    try:
        if kind is list:
            values = tuple(values)
        elif kind is dict:
            values = tuple(values.items())
        return hash((_SALT, text, values))
    except Exception:  # noqa: BLE001 - parameters are the application's objects: anything can happen
        pass
    try:
        return hash((_SALT, text, repr(values)))
    except Exception:  # noqa: BLE001
        return None


class QueryLog(Protocol):
    """What hooks call, through the probe. No method raises, but for what an application's object raises to end it."""

    #: False once the sensor was stopped: nothing is recorded any more
    active: bool

    def statement(self) -> Any | None:
        """Begin to record a statement: its guard; None where a library above records it, or nothing is recorded.

        Its call site is that of this call, so that it is right for a coroutine that another task will run. Whoever
        begins must end it with ``executed`` or set ``open`` of it to False, whatever happens.
        """

    def lent_statement(self) -> Any | None:
        """The same for those who may never hear of its end: it ends with the object that holds the guard."""

    def resume(self, guard: Any) -> None:
        """Begin in this task what was begun where its coroutine was made; the call site stays."""

    def executed(
        self, guard: Any, sql: Any, parameters: Any, system: str, error: BaseException | None = None, /
    ) -> Any | None:
        """End a guard: the execution, for ``fetched``; None where nobody's rows are counted. ``parameters`` is
        UNKNOWN where there are many sets of them."""

    def fetched(self, execution: Any | None, rows: int, wall: int, /) -> None:
        """So many more rows of an execution were fetched in ``wall`` ns; nothing for one that was not recorded."""

    def fetched_since(self, execution: Any | None, rows: int, start: int, /) -> None:
        """The same, from ``start``, a time of the recorder's clock, until now."""

    def execute_method(self, plain: Method, original: Method, system: str | None, many: bool, /) -> Method:
        """What a cursor class is given: ``plain``, a wrapper of ``original``, which executes, or the same in C.

        The class has ``_burnish``: None. ``system`` None: that of ``self.db.vendor``.
        """

    def fetch_method(self, plain: Method, original: Method | str, one: bool, /) -> Method:
        """The same for a method that fetches; ``original`` may be a name that the class's ``__getattr__`` finds."""

    def site(self) -> Site | None:
        """The application's function that runs now and its current line; None when none is on the stack."""

    def carry(self) -> Token[Site | None] | None:
        """Make the current call site that of a task about to be made, if an application function is on the stack."""

    def leave(self) -> Token[Site | None] | None:
        """Make the current call site that of what a greenlet, which shares the context, does for this function."""


def site_in_greenlets(function: int, files: dict[str, str]) -> Site | None:
    """Where a function runs whose frame is below a greenlet: to ask greenlets for their frames takes long."""
    if "greenlet" in sys.modules:
        for frame in _frames_of_parents():
            place = place_of(frame, files)
            if place is not None:
                return (function, *place)
    return None


def place_of(frame: FrameType | None, files: dict[str, str]) -> tuple[str, int] | None:
    """File and line of the innermost function's frame whose code is the application's."""
    while frame is not None:
        code = frame.f_code
        file = files.get(code.co_filename)
        if file is not None and code.co_flags & _OPTIMIZED and code.co_name != "<lambda>":
            return file, frame.f_lineno
        frame = frame.f_back
    return None


def _frames_of_parents() -> Iterator[FrameType | None]:
    """Where the greenlets wait that this one will return to: SQLAlchemy's asyncio runs its inside in one."""
    greenlet = sys.modules["greenlet"].getcurrent().parent
    while greenlet is not None:
        yield greenlet.gr_frame
        greenlet = greenlet.parent
