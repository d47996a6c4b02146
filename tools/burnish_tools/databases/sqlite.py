"""Plans and table facts of an SQLite file, opened read-only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from burnish.errors import ConfigError, Unavailable
from burnish.protocols import QueryPlan
from burnish_tools.databases.statement import aliases, limited, placeholders, plannable

_STEP = re.compile(
    r"^(?P<verb>SCAN|SEARCH)\s+(?:TABLE\s+)?(?P<table>\S+)(?:\s+AS\s+(?P<alias>\S+))?"
    r"(?P<auto>.*USING AUTOMATIC .*)?"
    r"(?:\s+(?:VIRTUAL TABLE .*|USING\s+(?:COVERING\s+)?INDEX\s+(?P<index>\S+)"
    r"|USING\s+(?P<rowid>INTEGER PRIMARY KEY)))?"
)
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

    def rows(self, table: str) -> int:
        """From ANALYZE's statistics where there are any, else counted; 0 where there is no such table."""
        try:
            known = self._ask("SELECT stat FROM sqlite_stat1 WHERE tbl = ? AND stat IS NOT NULL", (table,))
        except sqlite3.OperationalError:
            known = []
        if known:
            return max(int(row[0].split()[0]) for row in known)
        try:
            return int(self._ask(f"SELECT count(*) FROM {_quoted(table)}")[0][0])
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
