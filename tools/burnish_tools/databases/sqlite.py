"""Plans and table facts of an SQLite file, opened read-only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from burnish.errors import ConfigError, Unavailable
from burnish.profile import TableWrites
from burnish.protocols import Index, QueryPlan
from burnish_tools.databases.statement import aliases, create_index, limited, placeholders, plannable, quoted

_STEP = re.compile(
    r"^(?P<verb>SCAN|SEARCH)\s+(?:TABLE\s+)?(?P<table>\S+)(?:\s+AS\s+(?P<alias>\S+))?"
    r"(?P<auto>.*USING AUTOMATIC .*)?"
    r"(?:\s+(?:VIRTUAL TABLE .*|USING\s+(?:COVERING\s+)?INDEX\s+(?P<index>\S+)"
    r"|USING\s+(?P<rowid>INTEGER PRIMARY KEY)))?"
)
_STATISTICS = ("sqlite_stat1", "sqlite_stat4")
_SORT = "USE TEMP B-TREE FOR ORDER BY"


class SqliteDatabase:
    """Satisfies `burnish.protocols.Database`. A new connection for each question: the service may replace the file."""

    system = "sqlite"

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def from_url(cls, url: str) -> SqliteDatabase:
        """`sqlite:///relative` or `sqlite:////absolute`. Raises ConfigError where there is no path."""
        path = unquote(url.partition("://")[2].removeprefix("/"))
        if not path or path == ":memory:":
            raise ConfigError("service.database: name the file, sqlite:///relative/path or sqlite:////absolute/path")
        return cls(path)

    def plan(self, statement: str) -> QueryPlan | None:
        """`EXPLAIN QUERY PLAN`, with NULL for each parameter; None where SQLite cannot plan the statement."""
        text = plannable(statement)
        if text is None:
            return None
        try:
            details = [row[3] for row in self._ask(f"EXPLAIN QUERY PLAN {text}", (None,) * placeholders(text))]
        except (sqlite3.OperationalError, sqlite3.ProgrammingError):
            return None
        return _plan(details, aliases(text), limited(text))

    def plan_with(self, statement: str, index: Index) -> QueryPlan | None:
        """Tried on a copy in memory of the schema and of what ANALYZE has found. SQLite's planner looks at nothing
        else, so that the plan is the one that it would make after the index was added."""
        text = plannable(statement)
        if text is None:
            return None
        schema = self._ask("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index', 'view')"
                           " AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type != 'table', rowid")  # fmt: skip
        statistics = {name: self._statistics(name) for name in _STATISTICS}
        with closing(sqlite3.connect(":memory:")) as copy:
            try:
                _fill(copy, [row[0] for row in schema], statistics)
                _refuse_unknown(copy, index)
                copy.execute(create_index("burnish_trial", index))
                steps = copy.execute(f"EXPLAIN QUERY PLAN {text}", (None,) * placeholders(text)).fetchall()
            except (sqlite3.Error, ValueError):
                return None
        plan = _plan([row[3] for row in steps], aliases(text), limited(text))
        return plan.model_copy(update={"tried_on": "a copy of the schema and its statistics"})

    def writes(self, table: str) -> TableWrites | None:
        """None: SQLite counts none."""
        return None

    def _statistics(self, name: str) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._ask(f"SELECT * FROM {name}")
        except sqlite3.OperationalError:  # never analysed
            return []

    def rows(self, table: str) -> int:
        """From ANALYZE's statistics where there are any, else counted; 0 where there is no such table."""
        try:
            known = self._ask("SELECT stat FROM sqlite_stat1 WHERE tbl = ? AND stat IS NOT NULL", (table,))
        except sqlite3.OperationalError:
            known = []
        if known:
            return max(int(row[0].split()[0]) for row in known)
        try:
            return int(self._ask(f"SELECT count(*) FROM {quoted(table)}")[0][0])
        except sqlite3.OperationalError:
            return 0

    def indexes(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """Columns in order by index name, `-` before a descending one; partial indexes are left out."""
        found: dict[str, tuple[str, ...]] = {}
        key = self._ask("SELECT name, pk FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
        if key:
            found["PRIMARY KEY"] = tuple(row[0] for row in key)
        names = self._ask("SELECT name FROM pragma_index_list(?) WHERE partial = 0 ORDER BY name", (table,))
        for (name,) in names:
            columns = self._ask('SELECT name, "desc" FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', (name,))
            found[name] = tuple(("-" if down else "") + (column or "<expression>") for column, down in columns)
        return found

    def _ask(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        if not self.path.is_file():
            raise Unavailable(f"{self.path}: there is no such database file; check service.database")
        db = sqlite3.connect(f"file:{quote(str(self.path.absolute()))}?mode=ro", uri=True, timeout=5)
        try:
            return db.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") in ("", "SQLITE_ERROR"):
                raise  # the statement is at fault
            raise Unavailable(f"{self.path}: {error}; Burnish reads it as another process does") from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise
            raise Unavailable(f"{self.path}: {error}; is it an SQLite file?") from error
        finally:
            db.close()


def _fill(copy: sqlite3.Connection, schema: list[str], statistics: Mapping[str, list[tuple]]) -> None:  # type: ignore[type-arg]
    """Virtual tables are left out where their module is missing here, and what stands on them."""
    for sql in schema:
        with suppress(sqlite3.OperationalError):
            copy.execute(sql)
    copy.execute("ANALYZE")  # makes the tables of statistics
    for name, rows in statistics.items():
        for row in rows:
            with suppress(sqlite3.OperationalError):  # sqlite_stat4 is an option of the build
                copy.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    copy.execute("ANALYZE sqlite_master")  # reads them


def _refuse_unknown(copy: sqlite3.Connection, index: Index) -> None:
    """Raises ValueError: a name in double quotes that is no column would be a string to SQLite."""
    known = {name.lower() for (name,) in copy.execute("SELECT name FROM pragma_table_info(?)", (index.table,))}
    for column in (*(each.removeprefix("-") for each in index.columns), *index.where.removeprefix("NOT ").split()[:1]):
        if column.lower() not in known:
            raise ValueError(f"{index.table} has no column {column}")


def _plan(details: list[str], tables: Mapping[str, str], limited: bool) -> QueryPlan:
    scans: list[str] = []
    indexes: list[str] = []
    sorts = any(detail.startswith(_SORT) for detail in details)
    for detail in details:
        step = _STEP.match(detail)
        if step is None:
            continue
        table = tables.get(step["alias"] or step["table"], "")
        if step["index"]:
            indexes.append(step["index"])
        elif step["rowid"]:
            indexes.append("PRIMARY KEY")
        if table and (step["auto"] or (step["verb"] == "SCAN" and _to_the_end(step, limited, sorts))):
            scans.append(table)
    return QueryPlan(lines=tuple(details), full_scans=_once(scans), indexes=_once(indexes))


def _to_the_end(step: re.Match[str], limited: bool, sorts: bool) -> bool:
    """A walk along an index stops early only under a LIMIT that no sort stands before."""
    return step["index"] is None or not limited or sorts


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
