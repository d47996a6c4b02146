"""Every engine of SQLAlchemy in the process, synchronous or not, seen by events on the class `Engine`.

Each engine is given one connection of the database, however many its pool asks for, and around a request that
connection has a transaction which is rolled back. What the service begins inside becomes a savepoint, its commits do
nothing, its rollbacks go back to the savepoint: as a session that has joined an external transaction. So everything in
one request sees what was altered and written before, through whichever session.

What this does not hold: engines made with `creator=`, a second engine on the same database (it does not see what the
first one has written), and drivers that are used without SQLAlchemy.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import changed_sqlalchemy
from .database import Database
from .statements import MAX_ROWS, Statements, digest

READS = re.compile(r"^\s*(?:SELECT|SHOW|EXPLAIN|PRAGMA|VALUES)\b", re.I)
BY_HAND = re.compile(r"^\s*(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK)(?:\s+\w+)?\s*;?\s*$", re.I)
SCOPE = "burnish_scope"


class Scope:
    """A transaction of the service, which is a savepoint of ours."""

    def __init__(self, began: int) -> None:
        self.began = began
        self.touched = False
        """True where it has written, or an error has ended it for the database."""


class Held:
    """The only connection of one engine."""

    def __init__(self, dialect: Any, connection: Any) -> None:
        self.dialect, self.connection = dialect, connection
        self.engine: Any = None
        self.tables: changed_sqlalchemy.Tables = {}
        self._moment = self._committed = 0

    def execute(self, statement: str) -> None:
        """Past SQLAlchemy, so that nobody counts it."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()

    def begin(self) -> None:
        """SQLite begins transactions only where it writes, and a savepoint outside of one would commit."""
        if self.dialect.name == "sqlite":
            self.execute("BEGIN")

    def end(self) -> None:
        """Nothing of the transaction stays."""
        self.connection.rollback()

    def scope_begins(self, proxied: Any) -> None:
        self._moment += 1
        _notes(proxied)[SCOPE] = Scope(self._moment)
        self.execute(f"SAVEPOINT {SCOPE}_{self._moment}")

    def scope_commits(self, proxied: Any) -> None:
        scope = _notes(proxied).pop(SCOPE, None)
        if scope is not None and scope.touched:
            self._moment += 1
            self._committed = self._moment

    def scope_rolls_back(self, proxied: Any) -> None:
        """Not where that would take back what another session has committed since; unless it has to be."""
        scope = _notes(proxied).pop(SCOPE, None)
        if scope is not None and (scope.touched or self._committed < scope.began):
            self.execute(f"ROLLBACK TO SAVEPOINT {SCOPE}_{scope.began}")

    def by_hand(self, verb: str, proxied: Any) -> None:
        """The service has sent BEGIN, COMMIT or ROLLBACK as a statement of its own."""
        if verb in ("COMMIT", "END"):
            self.scope_commits(proxied)
        elif verb == "ROLLBACK":
            self.scope_rolls_back(proxied)
        if SCOPE not in _notes(proxied):
            self.scope_begins(proxied)


class SqlAlchemyDatabase(Database):
    """All engines that have connected so far."""

    def __init__(self) -> None:
        self._run: Callable[[Callable[[], Any]], Any] = lambda function: function()
        self._held: dict[int, Held] = {}
        self._inside = False
        self._statements: Statements | None = None

    def install(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "do_connect", self._connected)
        event.listen(Engine, "engine_connect", self._used)
        event.listen(Engine, "before_cursor_execute", self._executed, retval=True)
        event.listen(Engine, "handle_error", self._failed)

    def use(self, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._run = run

    @contextlib.contextmanager
    def rolled_back(self, before: Callable[[], object] | None = None) -> Iterator[None]:
        self._inside = True
        self._run(lambda: self._each(Held.begin))
        try:
            if before is not None:
                before()
            yield
        finally:
            self._run(lambda: self._each(Held.end))
            self._inside = False

    @contextlib.contextmanager
    def watching(self, statements: Statements) -> Iterator[None]:
        self._statements = statements
        try:
            yield
        finally:
            self._statements = None

    def digests(self, tables: Iterable[str]) -> dict[str, str]:
        names = sorted(tables)
        return self._run(lambda: self._digests(names)) if names else {}

    def alter(self, statements: Iterable[str], *, texts: bool = True) -> list[str]:
        seen = list(statements)
        return self._changed(lambda held: changed_sqlalchemy.alter(held.engine, held.tables, seen, texts=texts))

    def rotate(self, statements: Iterable[str]) -> list[str]:
        seen = list(statements)
        return self._changed(lambda held: changed_sqlalchemy.rotate(held.engine, held.tables, seen))

    def _changed(self, change: Callable[[Held], list[str]]) -> list[str]:
        def each() -> list[str]:
            return [name for held in list(self._held.values()) if held.engine is not None for name in change(held)]

        altered: list[str] = self._run(each)
        return altered

    def _each(self, action: Callable[[Held], None]) -> None:
        for held in list(self._held.values()):
            action(held)

    def _digests(self, tables: list[str]) -> dict[str, str]:
        """By each engine what it can see: one that does not know a table has not written it."""
        found = {}
        for number, held in enumerate(self._held.values()):
            for table in tables:
                with contextlib.suppress(LookupError):
                    found[f"{table}@{number}" if number else table] = _digest(held, table)
        return found

    def _connected(self, dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        """The engine's pool wants a connection: it gets the one that there is."""
        held = self._held.get(id(dialect))
        if held is None:
            held = self._held[id(dialect)] = Held(dialect, dialect.connect(*arguments, **options))
            self._take_over(held)
            if self._inside:
                held.begin()
        return held.connection

    def _take_over(self, held: Held) -> None:
        """Transactions of the service are scopes while a request is replayed; connections stay open."""
        dialect = held.dialect
        instead = {"begin": held.scope_begins, "commit": held.scope_commits, "rollback": held.scope_rolls_back}
        for name, scoped in instead.items():
            setattr(dialect, f"do_{name}", self._either(scoped, getattr(dialect, f"do_{name}")))
        for name in ("do_close", "do_terminate", "set_isolation_level", "reset_isolation_level"):
            setattr(dialect, name, lambda *arguments: None)

    def _either(self, scoped: Callable[[Any], None], original: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda proxied: scoped(proxied) if self._inside else original(proxied)

    def _used(self, connection: Any, *more: Any) -> None:
        held = self._held.get(id(connection.dialect))
        if held is None:
            raise RuntimeError("an engine made with creator= cannot be replayed: its transactions cannot be held")
        held.engine = connection.engine

    def _executed(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        by_hand = BY_HAND.match(statement) if self._inside else None
        if by_hand:
            self._held[id(connection.dialect)].by_hand(by_hand[1].upper(), connection.connection)
            return "SELECT 1", ()
        if self._statements is not None:
            self._statements.seen(statement)
        if not READS.match(statement):
            self._touch(connection)
        return statement, parameters

    def _failed(self, context: Any) -> None:
        if context.connection is not None:
            self._touch(context.connection)

    def _touch(self, connection: Any) -> None:
        scope = connection.info.get(SCOPE)
        if scope is not None:
            scope.touched = True


def _notes(proxied: Any) -> dict[Any, Any]:
    """What a connection carries along while it is checked out; a dialect's own first look at the server has nothing."""
    try:
        notes: dict[Any, Any] = proxied.info
    except NotImplementedError:
        return {}
    return notes


def _digest(held: Held, table: str) -> str:
    """LookupError where this engine's database has no such table."""
    quote = held.dialect.identifier_preparer.quote
    held.execute(f"SAVEPOINT {SCOPE}")
    cursor = held.connection.cursor()
    try:
        cursor.execute("SELECT * FROM " + ".".join(map(quote, table.split("."))))
        return digest(cursor.fetchmany(MAX_ROWS))
    except Exception as error:  # each driver has errors of its own
        held.execute(f"ROLLBACK TO SAVEPOINT {SCOPE}")
        raise LookupError(table) from error
    finally:
        cursor.close()
