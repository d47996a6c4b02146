"""SQL: which call ran which statement, where, how often, with how many rows.

A call in which a statement ran has a ``CallQueries`` (in the native recorder: what ``_queries.h`` has); when it ends,
the recorder hands that over for folding and adds it to the call below, so that each function on the stack knows what
one call of it caused.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from ..recording.calls import Calls

#: (number of the function, file, line)
Site = tuple[int, str, int]
#: (statement id, site)
Key = tuple[str, Site]

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
        """See ``Calls``; so ``fetched``."""
        record = self.at(key, order)
        if record is not None:
            record.n += 1
            record.time += wall
            record.use(parameters)

    def fetched(self, key: Key, order: int, rows: int, wall: int, drives: bool) -> None:
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


class QueryLog:
    """What the database hooks call. ``files`` maps the path of a rewritten module to its relative path."""

    def __init__(self, recorder: Calls, files: dict[str, str]) -> None:
        self._recorder, self._files = recorder, files
        self._orders = itertools.count(1)

    def executed(
        self, statement: str, parameters: Any, wall: int, error: str | None, site: Site | None
    ) -> Execution | None:
        """Record an execution at ``site`` that took ``wall`` ns. None without a site: it is nobody's."""
        context = self._recorder.context()
        context.query_count += 1
        if site is None:
            return None
        key = (statement, site)
        execution = Execution(key, next(self._orders), wall, error)
        context.executions.append(execution)
        self._recorder.ran(key, execution.order, wall, hash_parameters(parameters))
        return execution

    def fetched(self, execution: Execution, rows: int, wall: int) -> None:
        """Record that ``rows`` more rows of an execution were fetched in ``wall`` ns."""
        before = execution.rows or 0
        execution.rows = before + rows
        execution.wall += wall
        if not execution.waiting:
            execution.waiting = True
            self._recorder.context().executions.append(execution)
        self._recorder.fetched(execution.key, execution.order, rows, wall, before <= 1 < execution.rows)

    def site(self, left: Site | None = None) -> Site | None:
        """The application's function that runs now and its current line; None when none is on the stack.

        ``left`` is where it was when it went on in a greenlet of a library: its frame is not below this one there, and
        to ask greenlets for their frames takes long.
        """
        found = self._recorder.site(self._files)
        function = found if isinstance(found, int) else found[0]
        if not function:
            return None
        if left is not None and left[0] == function:
            return left
        if not isinstance(found, int):
            return found
        if "greenlet" in sys.modules:
            for frame in _frames_of_parents():
                place = place_of(frame, self._files)
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
