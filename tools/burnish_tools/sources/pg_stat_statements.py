"""What the service's PostgreSQL has counted itself: every statement of every client, tables with their writes, columns.

`pg_stat_statements` sees what no sensor is in: other services, jobs, people. Its statements are normalised like the
dataset's and joined to them by text, so that a finding can say which part of the statement's executions comes from the
function, and `burnish statements` shows what no function of the service was seen to send.

Versions: PostgreSQL 13 renamed the times (`total_exec_time`), 14 added `pg_stat_statements_info` with the time of the
last reset, 17 a time for each statement (`stats_since`). What a version does not have is left out. PostgreSQL prepares
what it shows: constants are `$1` already; statements of other users need the role `pg_read_all_stats`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from burnish.errors import BurnishError, ConfigError
from burnish.finding import Finding, Model
from burnish.profile import Profile, QueryStats, TableWrites
from burnish.statements import ServerStatement
from burnish_tools.databases.postgres import PostgresDatabase
from burnish_tools.databases.statement import quoted
from burnish_tools.sql import normalise

if TYPE_CHECKING:
    import psycopg

SYSTEM = "postgresql"
LEAST_SECONDS = 600.0
"""Since the reset, below which a rate of calls says little."""
_log = logging.getLogger("burnish.sources")
_CAST = re.compile(r"\?::[\w.\"]+(?:\[\])*(?:\(\?(?:,\s*\?)*\))?")
_SIGN = re.compile(r"(?<=[=<>(,+*/%|])-\?")
_SPACE = re.compile(r"\s*([-+*/<>=!~|%,;()\[\]])\s*")


class Counted(Model):
    """One statement, over all users and versions of its text."""

    query_ids: tuple[int, ...]
    statement: str
    """Normalised as in the dataset."""
    calls: int
    total_ms: float
    rows: int
    blocks_hit: int
    """Shared blocks of 8 KB that were in the cache."""
    blocks_read: int
    """Shared blocks that were not."""
    calls_per_minute: float | None
    """Since the statistics were reset; None where that is not known or is less than ten minutes ago."""

    @property
    def mean_ms(self) -> float:
        """Time of one execution in the server."""
        return self.total_ms / max(self.calls, 1)


class Column(Model):
    """What ANALYZE has found of a column."""

    name: str
    null_share: float
    distinct: float
    """Distinct values; negative: as a share of the rows (PostgreSQL's convention)."""


def statements(database: PostgresDatabase) -> tuple[Counted, ...]:
    """All statements of this database, the dearest first. Raises Unavailable, and ConfigError with the mend where the
    extension is missing."""
    with database.asking() as db:
        view = _view(db)
        columns = _columns(db, f"{view}")
        since = _since(db, view, columns)
        found = db.execute(_question(view, columns, since).encode()).fetchall()
    merged: dict[str, Counted] = {}
    for query_id, text, calls, total, rows, hit, read, seconds in found:
        shape = normalise(text or "", SYSTEM)
        rate = calls / (seconds / 60) if seconds is not None and seconds >= LEAST_SECONDS else None
        one = Counted(
            query_ids=(query_id or 0,), statement=shape, calls=calls, total_ms=total, rows=rows, blocks_hit=hit,
            blocks_read=read, calls_per_minute=rate,
        )  # fmt: skip
        same = merged.get(key(shape))
        merged[key(shape)] = one if same is None else _added(same, one)
    return tuple(sorted(merged.values(), key=lambda one: (-one.total_ms, one.statement)))


def tables(database: PostgresDatabase) -> tuple[TableWrites, ...]:
    """Size and writes of every table of the service, the largest first. Raises Unavailable."""
    with database.asking() as db:
        names = db.execute("SELECT relname FROM pg_stat_user_tables WHERE pg_table_is_visible(relid)").fetchall()
    found = (database.writes(name) for (name,) in names)
    return tuple(sorted((each for each in found if each), key=lambda each: (-each.bytes, each.table)))


def columns(database: PostgresDatabase, table: str) -> tuple[Column, ...]:
    """From `pg_stats`; no values of the table are read. Raises Unavailable."""
    question = (
        "SELECT s.attname, s.null_frac, s.n_distinct FROM pg_stats s JOIN pg_class c ON c.relname = s.tablename"
        " JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname"
        " WHERE c.oid = to_regclass(%s) AND NOT s.inherited ORDER BY s.attname"
    )
    with database.asking() as db:
        found = db.execute(question, (quoted(table),)).fetchall()
    return tuple(Column(name=name, null_share=nulls, distinct=distinct) for name, nulls, distinct in found)


def key(statement: str) -> str:
    """By which a statement of the server is that of the client: drivers add casts, PostgreSQL takes the sign into the
    constant, and neither keeps spaces and case."""
    return _SIGN.sub("?", _SPACE.sub(r"\1", _CAST.sub("?", statement))).rstrip("; ").lower()


def server_statements(url: str, profile: Profile) -> tuple[ServerStatement, ...]:
    """All statements of the server with the functions that were seen to send them, the dearest first.

    Raises ConfigError where the database is no PostgreSQL or lacks the extension, Unavailable.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        raise ConfigError("service.database is no PostgreSQL: only its pg_stat_statements counts statements")
    senders: dict[str, set[str]] = {}
    for query in profile.queries:
        senders.setdefault(key(query.statement), set()).add(query.site.function)
    return tuple(
        ServerStatement(
            statement=one.statement,
            calls=one.calls,
            calls_per_minute=one.calls_per_minute,
            total_ms=one.total_ms,
            rows=one.rows,
            functions=tuple(sorted(senders.get(key(one.statement), ()))),
        )
        for one in statements(PostgresDatabase(url))
        if "/*" not in one.statement  # what could not be read as a statement cannot be joined either
    )


class Remarks:
    """What the database knows of a finding's statement, as a sentence. Asked once; silent where it cannot be asked,
    with a warning in the log that says how to mend it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._counted: Mapping[str, Counted] | None = None

    def __call__(self, finding: Finding, profile: Profile) -> tuple[str, ...]:
        """At most one sentence."""
        statement = finding.evidence.statement
        counted = self._known().get(key(statement)) if statement else None
        return (remark(counted, finding, profile),) if counted and counted.calls_per_minute else ()

    def _known(self) -> Mapping[str, Counted]:
        if self._counted is None:
            try:
                self._counted = {key(one.statement): one for one in statements(PostgresDatabase(self._url))}
            except BurnishError as error:
                _log.warning("%s", error)
                self._counted = {}
        return self._counted


def remark(counted: Counted, finding: Finding, profile: Profile) -> str:
    """The server's count beside the function's; the two were counted over different times."""
    mine = sum(_executions(query, counted) for query in profile.queries if _is_of(query, finding)) / profile.minutes
    rate = counted.calls_per_minute or 0.0
    share = f"; {min(1.0, mine / rate):.0%} of them from this function" if rate and mine else ""
    return (
        f"The database itself counts {rate:,.1f} executions a minute{share} ({mine:,.1f} a minute here), "
        f"{counted.mean_ms:,.2f} ms each in the server over {counted.calls:,} executions, "
        f"{(counted.blocks_hit + counted.blocks_read) / max(counted.calls, 1):,.0f} blocks each."
    )


def _is_of(query: QueryStats, finding: Finding) -> bool:
    site = finding.evidence.site
    return query.site.function == (site.function if site else finding.function)


def _executions(query: QueryStats, counted: Counted) -> int:
    return query.executions if key(query.statement) == key(counted.statement) else 0


def _view(db: psycopg.Connection[tuple[Any, ...]]) -> str:
    found = db.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'pg_stat_statements'"
    ).fetchone()
    loaded = db.execute("SELECT count(*) FROM pg_settings WHERE name = 'pg_stat_statements.max'").fetchone()
    place = f"PostgreSQL, database {db.info.dbname}"
    if loaded is None or not loaded[0]:
        raise ConfigError(
            f"{place}: pg_stat_statements is not loaded; add it to shared_preload_libraries, restart the server, and "
            "run CREATE EXTENSION pg_stat_statements"
        )
    if found is None:
        raise ConfigError(f"{place}: run CREATE EXTENSION pg_stat_statements in it (the library is loaded)")
    return f"{quoted(found[0])}.pg_stat_statements"


def _columns(db: psycopg.Connection[tuple[Any, ...]], view: str) -> frozenset[str]:
    described = db.execute(f"SELECT * FROM {view} LIMIT 0".encode()).description or ()
    return frozenset(column.name for column in described)


def _since(db: psycopg.Connection[tuple[Any, ...]], view: str, names: frozenset[str]) -> str:
    """An expression for the time since which a statement was counted."""
    if "stats_since" in names:
        return "s.stats_since"
    info = f"{view}_info"
    there = db.execute("SELECT to_regclass(%s) IS NOT NULL", (info,)).fetchone()
    return f"(SELECT stats_reset FROM {info})" if there and there[0] else "NULL::timestamptz"


def _question(view: str, names: frozenset[str], since: str) -> str:
    total = "total_exec_time" if "total_exec_time" in names else "total_time"
    return (
        f"SELECT s.queryid, s.query, s.calls, s.{total}, s.rows, s.shared_blks_hit, s.shared_blks_read,"
        f" extract(epoch FROM now() - {since})::float8 FROM {view} s"
        " WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


def _added(one: Counted, two: Counted) -> Counted:
    rates = [rate for rate in (one.calls_per_minute, two.calls_per_minute) if rate is not None]
    return one.model_copy(
        update={
            "query_ids": (*one.query_ids, *two.query_ids),
            "calls": one.calls + two.calls,
            "total_ms": one.total_ms + two.total_ms,
            "rows": one.rows + two.rows,
            "blocks_hit": one.blocks_hit + two.blocks_hit,
            "blocks_read": one.blocks_read + two.blocks_read,
            "calls_per_minute": sum(rates) if rates else None,
        }
    )
