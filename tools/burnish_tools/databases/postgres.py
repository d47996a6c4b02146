"""Plans and table facts of a PostgreSQL database, in one read-only session.

A normalised statement has no values, so it is prepared and explained with a *generic* plan: the one that PostgreSQL
makes without looking at the parameters. `EXPLAIN (GENERIC_PLAN)` exists from version 16 on; PREPARE and
`plan_cache_mode` do the same on older ones. EXPLAIN without ANALYZE does not execute anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from burnish.errors import Unavailable
from burnish.profile import TableWrites
from burnish.protocols import Index, QueryPlan
from burnish_tools.databases.statement import numbered, plannable, quoted

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
STATEMENT_MS = 5000
COUNTED = 1_000_000
"""Rows that are counted at most where the table has no statistics yet."""

Node = dict[str, Any]


class PostgresDatabase:
    """Satisfies `burnish.protocols.Database`. Connects with the first question, and again after a lost connection."""

    system = "postgresql"

    def __init__(self, url: str, snapshot: str = "") -> None:
        """`snapshot` is the URL of a copy of the database on which others may build: `[proof] database`."""
        self._url, self._snapshot = url, snapshot
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None

    def plan(self, statement: str) -> QueryPlan | None:
        """The generic plan; None where PostgreSQL cannot plan the statement."""
        import psycopg

        text = plannable(statement)
        if text is None:
            return None
        with self.asking() as db:
            try:
                return explained(db, text)
            except (psycopg.errors.ConnectionException, psycopg.errors.OperatorIntervention):
                raise
            except psycopg.errors.Error as error:
                if error.sqlstate is None:
                    raise
                return None

    def plan_with(self, statement: str, index: Index) -> QueryPlan | None:
        """By HypoPG where the extension is in the database: a hypothetical index lives in this session's memory and is
        seen by EXPLAIN only. Else on a scratch copy of the snapshot; None where there is neither."""
        text = plannable(statement)
        if text is None:
            return None
        import psycopg

        from burnish_tools.databases.trial import hypothetical, on_a_copy

        with self.asking() as db:
            try:
                if db.execute("SELECT 1 FROM pg_extension WHERE extname = 'hypopg'").fetchone():
                    return hypothetical(db, text, index)
            except (psycopg.errors.ConnectionException, psycopg.errors.OperatorIntervention):
                raise
            except (psycopg.errors.Error, ValueError) as error:
                if isinstance(error, psycopg.Error) and error.sqlstate is None:
                    raise
                return None
        return on_a_copy(self._snapshot, text, index) if self._snapshot else None

    def writes(self, table: str) -> TableWrites | None:
        """From `pg_stat_user_tables`. Where the statistics were never reset, what is known of their age is the start of
        the server; they may be older, so that the rate is then an upper bound."""
        with self.asking() as db:
            found = db.execute(_WRITES, (quoted(table),)).fetchone()
        if found is None:
            return None
        rows, size, writes, since, seconds = found
        per_minute = writes / max(seconds / 60, 1.0)
        return TableWrites(
            table=table, rows=rows, bytes=size, writes_per_minute=per_minute, since_unix_ns=round(since * 1e9)
        )

    def rows(self, table: str) -> int:
        """The planner's estimate; counted (to a million) where there is none yet; 0 where there is no such table."""
        from psycopg import sql

        with self.asking() as db:
            known = "SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)"
            found = db.execute(known, (quoted(table),)).fetchone()
            if found is None:
                return 0
            if found[0] > 0:
                return int(found[0])
            count = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) t")
            counted = db.execute(count.format(sql.Identifier(table), sql.Literal(COUNTED))).fetchone()
            return int(counted[0]) if counted else 0

    def indexes(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """Columns in order by index name, `-` before a descending one; partial and invalid ones are left out."""
        with self.asking() as db:
            found = db.execute(_INDEXES, (quoted(table),)).fetchall()
        return {name: tuple(columns) for name, columns in found}

    @contextmanager
    def asking(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A read-only transaction that is rolled back. Raises Unavailable, never with the password."""
        import psycopg

        try:
            if self._session is None or self._session.closed:
                self._session = self._connect()
            with self._session.transaction(force_rollback=True):
                self._session.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
                self._session.execute(f"SET LOCAL lock_timeout = {STATEMENT_MS}")
                yield self._session
        except psycopg.Error as error:
            message = str(error).strip().partition("\n")[0]
            raise Unavailable(f"{self._place()}: {self._without_password(message)}") from None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        try:
            import psycopg
        except ImportError as error:
            raise Unavailable("reading PostgreSQL needs psycopg: pip install 'burnish[postgres]'") from error
        session = psycopg.connect(
            self._url, connect_timeout=CONNECT_SECONDS, application_name="burnish", autocommit=True
        )
        session.read_only = True
        return session

    def _place(self) -> str:
        try:
            parts = urlsplit(self._url)
            return f"PostgreSQL at {parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"
        except ValueError:
            return "PostgreSQL (service.database is not a valid URL)"

    def _without_password(self, message: str) -> str:
        message = message.replace(self._url, "service.database")
        _, _, rest = self._url.partition("://")
        password = rest.rpartition("@")[0].partition(":")[2]
        for secret in (password, unquote(password)):
            if secret:
                message = message.replace(secret, "***")
        return message


def explained(db: psycopg.Connection[tuple[Any, ...]], statement: str) -> QueryPlan:
    """The generic plan of a normalised statement, in a transaction. Raises psycopg.Error."""
    text, n = numbered(statement)
    return _read(_explain(db, text, n))


def _explain(db: psycopg.Connection[tuple[Any, ...]], text: str, n: int) -> Node:
    from psycopg import sql

    nulls = f"({', '.join(['NULL'] * n)})" if n else ""
    db.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    db.execute(sql.SQL("PREPARE burnish AS " + text), prepare=False)
    try:
        found = db.execute(sql.SQL(f"EXPLAIN (FORMAT JSON) EXECUTE burnish{nulls}")).fetchone()
    finally:
        if not db.broken and db.info.transaction_status.name == "INTRANS":
            db.execute("DEALLOCATE burnish")
    plan = found[0] if found else "[]"
    tree: list[Node] = json.loads(plan) if isinstance(plan, str) else plan
    return dict(tree[0]["Plan"])


def _read(root: Node) -> QueryPlan:
    lines: list[str] = []
    scans: list[str] = []
    indexes: list[str] = []
    for node, depth, stops in _walk(root, 0, False):
        lines.append("  " * depth + _line(node))
        if "Index Name" in node:
            indexes.append(node["Index Name"])
        if "Relation Name" in node and _reads_all(node, stops):
            scans.append(node["Relation Name"])
    return QueryPlan(
        lines=tuple(lines),
        full_scans=tuple(dict.fromkeys(scans)),
        indexes=tuple(dict.fromkeys(indexes)),
        cost=root.get("Total Cost"),
        rows=root.get("Plan Rows"),
    )


def _walk(node: Node, depth: int, stops: bool) -> Iterator[tuple[Node, int, bool]]:
    """Nodes from the top; `stops` is True below a LIMIT that no sort or aggregate stands before."""
    yield node, depth, stops
    kind = node["Node Type"]
    below = kind == "Limit" or (stops and kind not in ("Sort", "Incremental Sort", "Aggregate", "Hash", "Materialize"))
    for child in node.get("Plans", ()):
        yield from _walk(child, depth + 1, below)


def _reads_all(node: Node, stops: bool) -> bool:
    """A sequential scan with a filter may read everything; one that only fills a LIMIT without any does not."""
    kind = node["Node Type"]
    if kind in ("Index Scan", "Index Only Scan"):
        return "Index Cond" not in node and not stops
    return kind == "Seq Scan" and ("Filter" in node or not stops)


def _line(node: Node) -> str:
    text = str(node["Node Type"])
    if "Index Name" in node:
        text += f" using {node['Index Name']}"
    if "Relation Name" in node:
        text += f" on {node['Relation Name']}"
    text += f" (cost={node['Total Cost']:.0f} rows={node['Plan Rows']})"
    for key in ("Index Cond", "Filter", "Sort Key"):
        if key in node:
            value = node[key]
            text += f" {key}: {', '.join(value) if isinstance(value, list) else value}"
    return text


_INDEXES = """
SELECT c.relname, array_agg(
    CASE WHEN i.indoption[k.ord - 1] & 1 = 1 THEN '-' ELSE '' END || coalesce(a.attname, '<expression>') ORDER BY k.ord
)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, ord)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL AND k.ord <= i.indnkeyatts
GROUP BY c.relname
ORDER BY c.relname
"""
_WRITES = """
SELECT (CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE s.n_live_tup END)::bigint, pg_total_relation_size(c.oid),
    s.n_tup_ins + s.n_tup_upd + s.n_tup_del, extract(epoch FROM since)::float8,
    extract(epoch FROM now() - since)::float8
FROM pg_stat_user_tables s
JOIN pg_class c ON c.oid = s.relid
CROSS JOIN LATERAL (
    SELECT coalesce(d.stats_reset, pg_postmaster_start_time()) FROM pg_stat_database d
    WHERE d.datname = current_database()
) AS counted (since)
WHERE s.relid = to_regclass(%s)
"""
