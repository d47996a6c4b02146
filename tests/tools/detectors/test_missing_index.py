"""Missing indexes: a full scan that an index would spare, and the many that it would not."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import Unavailable
from burnish.protocols import QueryPlan
from burnish.testing import windows as w
from burnish.why import Why
from burnish_tools.databases.sqlite import SqliteDatabase
from tests.tools.detectors.shapes import Plans, detect, reasons

VIEW, OTHER = "shop.views:movements", "shop.jobs:nightly"
SQL = (
    'SELECT * FROM "movement" WHERE ("movement"."kind" = ? AND "movement"."sku" = ?)'
    ' ORDER BY "movement"."at" DESC LIMIT ?'
)
LOOKUP = "SELECT * FROM product WHERE id = ?"
SCAN = {"FROM movement": ("movement",), 'FROM "movement"': ("movement",)}


def shop(sql: str = SQL, *, ms: float = 40, times: int = 20, rows: int | None = None, **more: Any) -> dict[str, Any]:
    """Twenty calls a minute of movements(), each of which runs `sql`; a lookup by key takes 0.4 ms here."""
    fetched = times * 10 if rows is None else rows
    return {
        "calls": [w.calls(VIEW, 20, wall_ms=60, own_ms=5, entry="GET movements/"), w.calls(OTHER, 5)],
        "queries": [
            w.query(sql, at=f"{VIEW}:24", times=times, ms=ms, rows=fetched, entry="GET movements/"),
            w.query(LOOKUP, at=f"{OTHER}:9", times=10, ms=0.4, rows=10),
            *more.pop("queries", ()),
        ],
        **more,
    }


def plans(**more: Any) -> Plans:
    return Plans(**({"scans": SCAN, "rows": {"movement": 320_000}} | more))


def test_equality_then_order_in_its_direction(tmp_path: Path) -> None:
    findings, passed = detect("missing_index", tmp_path, database=plans(), **shop())
    (found,) = findings
    assert passed == []
    assert found.function == VIEW
    assert found.evidence.table == "movement"
    assert found.evidence.columns == ("kind", "sku", "-at")
    assert found.evidence.table_rows == 320_000
    assert found.evidence.plan == ("SCAN movement",)
    assert found.removable_ns == pytest.approx((40 - 0.4) * 1e6, rel=0.02)
    assert found.removable_queries == 0


def test_placeholders_under_casts_as_sqlalchemy_writes_them_for_asyncpg(tmp_path: Path) -> None:
    sql = (
        "SELECT movement.id, place_1.id AS id_1 FROM movement JOIN place AS place_1 ON place_1.id = movement.place"
        " WHERE movement.kind = ?::VARCHAR AND movement.sku = ?::VARCHAR"
        " ORDER BY movement.at DESC LIMIT ?::INTEGER"
    )
    database = plans(system="postgresql")
    findings, _ = detect("missing_index", tmp_path, database=database, system="postgresql", **shop(sql))
    assert [found.evidence.columns for found in findings] == [("kind", "sku", "-at")]


def test_a_statement_that_runs_several_times_a_call_counts_as_often(tmp_path: Path) -> None:
    findings, _ = detect("missing_index", tmp_path, database=plans(), **shop(times=60))
    assert findings[0].evidence.executions_per_call == 3
    assert findings[0].removable_ns == pytest.approx(3 * 39.6e6, rel=0.02)


def test_without_a_lookup_to_compare_with_half_of_the_time_counts(tmp_path: Path) -> None:
    content = shop()
    content["queries"] = content["queries"][:1]
    findings, _ = detect("missing_index", tmp_path, database=plans(), **content)
    assert findings[0].removable_ns == pytest.approx(20e6, rel=0.02)


@pytest.mark.parametrize(
    "where, columns",
    [
        ("a = ?", ("a",)),
        ("a = ? AND b > ?", ("a", "b")),
        ("b > ? AND a = ? AND c < ?", ("a", "b")),
        ("b BETWEEN ? AND ? AND a IS NULL", ("a", "b")),
        ("a IN (?) AND b = ? ORDER BY c LIMIT ?", ("b", "a")),
        ("a = ? AND b >= ? ORDER BY b DESC LIMIT ?", ("a", "-b")),
        ("a = ? AND b >= ? ORDER BY c LIMIT ?", ("a", "b")),
        ("active AND NOT deleted ORDER BY c, d DESC", ("active", "deleted", "c", "-d")),
        ("a = ? AND lower(b) = ?", ("a",)),
        ("a = ? AND note LIKE ?", ("a",)),
        ("a = ? AND b = c", ("a",)),
        ("(? = a AND (b = ? AND (c = ? AND (d = ? AND e = ?))))", ("a", "b", "c", "d")),
        ("a = ? ORDER BY a, b LIMIT ?", ("a", "b")),
    ],
)
def test_columns(tmp_path: Path, where: str, columns: tuple[str, ...]) -> None:
    findings, passed = detect(
        "missing_index", tmp_path, database=plans(), **shop(f"SELECT * FROM movement WHERE {where}")
    )
    assert [f.evidence.columns for f in findings] == [columns], passed


def test_the_scanned_table_of_a_join_by_its_own_conditions(tmp_path: Path) -> None:
    sql = (
        "SELECT m.id FROM movement m INNER JOIN product p ON (p.id = m.product_id)"
        " WHERE m.kind = ? AND p.sku = ? AND m.product_id = p.id ORDER BY m.at"
    )
    findings, _ = detect("missing_index", tmp_path, database=plans(), **shop(sql))
    assert findings[0].evidence.columns == ("kind", "at")


JOIN = (
    "SELECT m.id FROM product p INNER JOIN movement m ON (m.product_id = p.id)"
    " WHERE p.sku = ? AND m.kind = ? AND m.at > ?"
)
JOINED = {"movement": ("movement",)}


def test_a_joined_table_by_what_joins_it(tmp_path: Path) -> None:
    """Its own conditions alone are tried too; here only the plan with the join's column does without the scan."""
    database = plans(scans=JOINED, useless=(("kind", "at"),))
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(JOIN))
    assert findings[0].evidence.columns == ("kind", "product_id", "at")
    assert [index.columns for index in database.tried] == [("kind", "at"), ("kind", "product_id", "at")]


@pytest.mark.parametrize("cheap, columns", [(5, ("kind", "product_id", "at")), (90, ("kind", "at"))])
def test_of_two_candidates_the_cheaper_plan_decides(tmp_path: Path, cheap: float, columns: tuple[str, ...]) -> None:
    database = plans(scans=JOINED, costs={("kind", "at"): 20.0, ("kind", "product_id", "at"): cheap})
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(JOIN))
    assert findings[0].evidence.columns == columns


def test_only_joined(tmp_path: Path) -> None:
    sql = "SELECT m.id FROM product p LEFT JOIN movement m ON (p.id = m.product_id) WHERE p.sku = ? ORDER BY m.at"
    findings, _ = detect("missing_index", tmp_path, database=plans(scans=JOINED), **shop(sql))
    assert findings[0].evidence.columns == ("product_id",)


def test_of_two_tables_that_are_read_in_full_the_one_that_an_index_helps(tmp_path: Path) -> None:
    sql = "SELECT m.id FROM big b INNER JOIN movement m ON (m.big_id = b.id) WHERE lower(b.name) = ? AND m.kind = ?"
    database = plans(
        scans={"movement": ("big", "movement")},
        rows={"movement": 9_000, "big": 500_000},
        indexes={"big": {"PRIMARY KEY": ("id",)}},
    )
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(sql))
    assert [(f.evidence.table, f.evidence.columns) for f in findings] == [("movement", ("kind",))]


DELETED = "SELECT * FROM movement WHERE kind = ? AND gone IS NULL ORDER BY at LIMIT ?"


@pytest.mark.parametrize(
    "expected, columns, where",
    [
        (32_000, ("kind", "at"), "gone IS NULL"),
        (300_000, ("kind", "gone", "at"), ""),
        (None, ("kind", "gone", "at"), ""),
    ],
    ids=["a tenth of the rows", "nearly all", "not known"],
)
def test_partial_where_the_condition_holds_for_few_rows(
    tmp_path: Path, expected: float | None, columns: tuple[str, ...], where: str
) -> None:
    expects = {'"gone" IS NULL': expected} if expected is not None else {}
    database = plans(scans={"kind = ?": ("movement",)}, expects=expects)
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(DELETED))
    assert (findings[0].evidence.columns, findings[0].evidence.index_where) == (columns, where)


@pytest.mark.parametrize(
    "condition, where",
    [("NOT archived", "NOT archived"), ("archived", "archived"), ("archived IS NOT NULL", "archived IS NOT NULL")],
)
def test_conditions_of_partial_indexes(tmp_path: Path, condition: str, where: str) -> None:
    database = plans(scans={"kind = ?": ("movement",)}, expects={'"archived"': 10})
    sql = f"SELECT * FROM movement WHERE kind = ? AND {condition}"
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(sql))
    assert (findings[0].evidence.columns, findings[0].evidence.index_where) == (("kind",), where)


def test_a_planner_that_expects_little_is_believed(tmp_path: Path) -> None:
    class Costly(Plans):
        def plan(self, statement: str) -> QueryPlan | None:
            plan = super().plan(statement)
            return plan and plan.model_copy(update={"cost": 100.0})

    database = Costly(SCAN, rows={"movement": 320_000}, costs={("kind", "sku", "-at"): 70.0})
    findings, passed = detect("missing_index", tmp_path, database=database, **shop())
    assert findings == []
    assert "70% of the cost" in next(p.detail for p in passed if p.why is Why.PLAN_UNCHANGED)


def test_the_trade_is_told(tmp_path: Path) -> None:
    writes = [w.query("DELETE FROM movement WHERE id = ?", at=f"{OTHER}:4", times=6, ms=2)]
    database = plans(writes={"movement": 12})
    findings, _ = detect("missing_index", tmp_path, database=database, **shop(queries=writes))
    seen = findings[0].evidence
    assert seen.writes_per_minute == 12  # the database sees those of other programs too
    assert "read 20.0 times a minute, which would save at least 78" in seen.notes[1]
    assert "written 12.0 times a minute (by the database's count), for which at most 12 ms" in seen.notes[1]
    assert "SEARCH movement USING INDEX trial (tried on a script)" in seen.notes[2]


def test_an_order_alone_needs_a_limit(tmp_path: Path) -> None:
    limited = shop("SELECT * FROM movement ORDER BY at DESC LIMIT ?")
    findings, _ = detect("missing_index", tmp_path / "a", database=plans(), **limited)
    assert findings[0].evidence.columns == ("-at",)
    findings, passed = detect(
        "missing_index", tmp_path / "b", database=plans(), **shop("SELECT * FROM movement ORDER BY at")
    )
    assert findings == []
    assert reasons(passed) == {VIEW: Why.NO_PATTERN}


def test_two_statements_that_want_one_index_are_one_finding(tmp_path: Path) -> None:
    content = shop()
    content["queries"].append(w.query(SQL, at=f"{OTHER}:40", times=5, ms=30))
    findings, passed = detect("missing_index", tmp_path, database=plans(), **content)
    assert [f.function for f in findings] == [VIEW]
    assert reasons(passed) == {OTHER: Why.DUPLICATE}


MUST_NOT: dict[str, tuple[dict[str, Any], Plans | None, Why]] = {
    "no database": (shop(), None, Why.NO_DATABASE),
    "another system": (shop(system="postgresql"), plans(), Why.NO_DATABASE),
    "cannot be planned": (shop(), plans(unreadable="movement"), Why.PLAN_UNREADABLE),
    "an index is used": (shop(), plans(scans={}), Why.INDEX_EXISTS),
    "an index is there": (shop(), plans(indexes={"movement": {"i": ("sku", "kind", "at", "x")}}), Why.INDEX_EXISTS),
    "a small table": (shop(), plans(rows={"movement": 40}), Why.TABLE_TOO_SMALL),
    "a small table, fast": (shop(ms=0.3), plans(rows={"movement": 40}), Why.TABLE_TOO_SMALL),
    "two small tables read in full": (
        shop(),
        plans(scans={"movement": ("movement", "product")}, rows={"movement": 40}),
        Why.TABLE_TOO_SMALL,
    ),
    "it cannot be tried": (shop(), plans(tries=False), Why.INDEX_UNTRIED),
    "the planner does not want it": (shop(), plans(useless=(("kind", "sku", "-at"),)), Why.PLAN_UNCHANGED),
    "written by others, as the database says": (shop(), plans(writes={"movement": 21}), Why.WRITE_HEAVY),
    "its upkeep costs more than it saves": (
        shop(ms=2, queries=[w.query("UPDATE movement SET a = ?", at=f"{OTHER}:3", times=18, ms=3)]),
        plans(),
        Why.WRITE_HEAVY,
    ),
    "or": (shop("SELECT * FROM movement WHERE a = ? OR b = ?"), plans(), Why.NO_PATTERN),
    "sub-select": (
        shop("SELECT * FROM movement WHERE a = ? AND b IN (SELECT id FROM t)"),
        plans(),
        Why.NO_PATTERN,
    ),
    "no condition": (shop("SELECT * FROM movement"), plans(), Why.NO_PATTERN),
    "a function of the column": (shop("SELECT * FROM movement WHERE lower(a) = ?"), plans(), Why.NO_PATTERN),
    "twice in the statement": (
        shop("SELECT * FROM movement a JOIN movement b ON a.x = b.y WHERE a.z = ?"),
        plans(),
        Why.NO_PATTERN,
    ),
    "a third of the table": (shop(rows=20 * 100_000), plans(), Why.NO_PATTERN),
    "few executions": (shop(times=2), plans(), Why.NOT_ENOUGH_CALLS),
    "written more than read": (
        shop(queries=[w.query('INSERT INTO "movement" ("a") VALUES (?)', at=f"{OTHER}:3", times=200)]),
        plans(),
        Why.WRITE_HEAVY,
    ),
}


@pytest.mark.parametrize("content, database, why", MUST_NOT.values(), ids=MUST_NOT)
def test_what_is_passed_over(tmp_path: Path, content: dict[str, Any], database: Plans | None, why: Why) -> None:
    findings, passed = detect("missing_index", tmp_path, database=database, **content)
    assert findings == []
    assert reasons(passed)[VIEW] is why


def test_writes_to_other_tables_and_reads_do_not_count_as_writes(tmp_path: Path) -> None:
    other = [
        w.query("INSERT INTO movement_log (a) VALUES (?)", at=f"{OTHER}:3", times=500),
        w.query("DELETE FROM movement WHERE id = ?", at=f"{OTHER}:4", times=6),
    ]
    findings, _ = detect("missing_index", tmp_path, database=plans(), **shop(queries=other))
    assert [f.evidence.writes_per_minute for f in findings] == [6]


@pytest.mark.parametrize(
    "existing, serves",
    [
        (("sku", "kind", "-at"), True),
        (("kind", "sku", "at"), True),  # walked backwards
        (("kind", "-at", "sku"), False),
        (("kind", "sku"), False),
        (("-kind", "sku", "-at"), True),
    ],
)
def test_when_an_existing_index_is_enough(tmp_path: Path, existing: tuple[str, ...], serves: bool) -> None:
    database = plans(indexes={"movement": {"by": existing}})
    findings, passed = detect("missing_index", tmp_path, database=database, **shop())
    assert (findings == []) is serves
    assert reasons(passed) == ({VIEW: Why.INDEX_EXISTS} if serves else {})


def test_a_fast_statement_is_not_mentioned(tmp_path: Path) -> None:
    assert detect("missing_index", tmp_path, database=plans(), **shop(ms=0.2)) == ([], [])


class Gone(Plans):
    asked = 0

    def plan(self, statement: str) -> QueryPlan | None:
        self.asked += 1
        raise Unavailable("PostgreSQL at db:5432: timeout")


def test_a_database_that_is_gone_is_told_and_asked_once(tmp_path: Path) -> None:
    content = shop()
    content["queries"].append(w.query("SELECT * FROM movement WHERE b = ?", at=f"{OTHER}:40", times=5, ms=30))
    database = Gone({})
    findings, passed = detect("missing_index", tmp_path, database=database, **content)
    assert findings == []
    assert reasons(passed) == {VIEW: Why.NO_DATABASE, OTHER: Why.NO_DATABASE}
    assert "timeout" in passed[0].detail
    assert database.asked == 1


def test_on_a_real_database(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE movement (id INTEGER PRIMARY KEY, sku TEXT, kind TEXT, at TEXT)")
    db.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT)")
    db.executemany("INSERT INTO movement (sku) VALUES (?)", ((str(i),) for i in range(1500)))
    db.commit()
    findings, _ = detect("missing_index", tmp_path / "a", database=SqliteDatabase(path), **shop())
    assert [(f.evidence.columns, f.evidence.table_rows) for f in findings] == [(("kind", "sku", "-at"), 1500)]
    db.execute("CREATE INDEX by_kind ON movement (kind, sku, at DESC)")
    db.commit()
    db.close()
    findings, passed = detect("missing_index", tmp_path / "b", database=SqliteDatabase(path), **shop())
    assert findings == []
    assert "it uses by_kind" in next(p.detail for p in passed if p.function == VIEW)
