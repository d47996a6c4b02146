"""Plans of a real PostgreSQL server."""

from __future__ import annotations

import pytest

from burnish.errors import Unavailable
from burnish.protocols import Index
from burnish_tools.databases import connect
from burnish_tools.databases.postgres import PostgresDatabase

psycopg = pytest.importorskip("psycopg")

SCHEMA = """
DROP TABLE IF EXISTS movement, product;
CREATE TABLE movement (id serial PRIMARY KEY, sku text, kind text, at timestamptz, note text, qty int);
CREATE INDEX by_kind_at ON movement (kind, at DESC) INCLUDE (qty);
CREATE INDEX only_noted ON movement (note) WHERE note IS NOT NULL;
CREATE TABLE product (id serial PRIMARY KEY, sku text, price numeric);
INSERT INTO movement (sku, kind, at) SELECT 'sku' || i, 'k' || i % 500, now() FROM generate_series(1, 20000) i;
INSERT INTO product (sku) SELECT 'sku' || i FROM generate_series(1, 20) i;
ANALYZE movement;
"""


@pytest.fixture(scope="module")
def database(postgres_url: str) -> PostgresDatabase:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(SCHEMA)
    found = connect(postgres_url)
    assert isinstance(found, PostgresDatabase)
    return found


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement, scans, indexes",
    [
        ('SELECT * FROM "movement" WHERE "movement"."sku" = ?', ("movement",), ()),
        ("SELECT * FROM movement WHERE kind = ? ORDER BY at DESC LIMIT ?", (), ("by_kind_at",)),
        ("SELECT * FROM movement WHERE id IN (?) LIMIT ? OFFSET ?", (), ("movement_pkey",)),
        ("SELECT * FROM movement WHERE sku = ? ORDER BY at DESC LIMIT ?", ("movement",), ()),
        # the first rows that come are enough, so it does not read everything
        ("SELECT * FROM movement LIMIT ?", (), ()),
        ("SELECT count(*) FROM movement", ("movement",), ()),
        (
            "SELECT m.id FROM movement m JOIN product p ON p.sku = m.sku WHERE p.id = ?",
            ("movement",),
            ("product_pkey",),
        ),
        ("UPDATE movement SET note = ? WHERE sku = ?", ("movement",), ()),
    ],
)
def test_full_scans_and_indexes(
    database: PostgresDatabase, statement: str, scans: tuple[str, ...], indexes: tuple[str, ...]
) -> None:
    plan = database.plan(statement)
    assert plan is not None
    assert (plan.full_scans, plan.indexes) == (scans, indexes)
    assert plan.lines


@pytest.mark.postgres
def test_types_of_parameters_are_inferred_and_no_literal_is_in_the_plan(database: PostgresDatabase) -> None:
    plan = database.plan("SELECT ? FROM movement WHERE qty > ? AND at BETWEEN ? AND ? AND note LIKE ?")
    assert plan is not None
    assert "$2" in " ".join(plan.lines)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM nowhere", "SELECT FROM WHERE", "DROP TABLE movement", "SELECT ?; DELETE FROM movement"],
)
def test_what_cannot_be_planned_is_none_and_the_session_goes_on(database: PostgresDatabase, statement: str) -> None:
    assert database.plan(statement) is None
    assert database.plan("SELECT ?") is not None


@pytest.mark.postgres
def test_planning_executes_nothing(database: PostgresDatabase, postgres_url: str) -> None:
    assert database.plan("DELETE FROM product WHERE price > ? OR price IS NULL") is not None
    with psycopg.connect(postgres_url) as db:
        assert db.execute("SELECT count(*) FROM product").fetchone() == (20,)


@pytest.mark.postgres
def test_facts_of_tables(database: PostgresDatabase) -> None:
    assert database.rows("movement") == 20_000  # from ANALYZE
    assert database.rows("product") == 20  # never analysed: counted
    assert database.rows("nowhere") == 0
    assert database.indexes("movement") == {"by_kind_at": ("kind", "-at"), "movement_pkey": ("id",)}


LATEST = "SELECT * FROM movement WHERE sku = ? AND note IS NULL ORDER BY at DESC LIMIT ?"
WANTED = [Index("movement", ("sku", "-at")), Index("movement", ("sku", "-at"), "note IS NULL")]


@pytest.fixture(scope="module")
def with_hypopg(database: PostgresDatabase, postgres_url: str) -> PostgresDatabase:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'").fetchone():
            pytest.skip("the server has no HypoPG: install Debian's package postgresql-15-hypopg")
        db.execute("CREATE DATABASE hypothetical")
    url = postgres_url.rpartition("/")[0] + "/hypothetical"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE EXTENSION hypopg")
        db.execute(SCHEMA)
    found = connect(url)
    assert isinstance(found, PostgresDatabase)
    return found


@pytest.mark.postgres
@pytest.mark.parametrize("index", WANTED)
def test_an_index_is_tried_by_hypopg(with_hypopg: PostgresDatabase, index: Index) -> None:
    plan = with_hypopg.plan_with(LATEST, index)
    assert plan is not None
    assert (plan.full_scans, plan.indexes, plan.tried_on) == ((), ("burnish_trial",), "HypoPG")
    today = with_hypopg.plan(LATEST)
    assert today is not None
    assert today.full_scans == ("movement",)  # nothing is left of it
    assert (plan.cost or 0) < 0.1 * (today.cost or 0)
    assert with_hypopg.plan_with(LATEST, Index("movement", ("nothing",))) is None
    assert set(with_hypopg.indexes("movement")) == {"by_kind_at", "movement_pkey"}


@pytest.mark.postgres
@pytest.mark.parametrize("index", WANTED)
def test_without_hypopg_it_is_tried_on_a_copy_of_the_snapshot(
    database: PostgresDatabase, postgres_url: str, index: Index
) -> None:
    assert database.plan_with(LATEST, index) is None  # there is nothing to try it on
    snapshot = postgres_url.rpartition("/")[0] + "/trial_snapshot"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("CREATE DATABASE trial_snapshot")
    try:
        with psycopg.connect(snapshot, autocommit=True) as db:
            db.execute(SCHEMA)
        plan = PostgresDatabase(postgres_url, snapshot).plan_with(LATEST, index)
        with psycopg.connect(snapshot, autocommit=True) as db:
            left = db.execute("SELECT count(*) FROM pg_class WHERE relname = 'burnish_trial'").fetchone()
            copies = db.execute("SELECT count(*) FROM pg_database WHERE datname ~ 'burnish_scratch'").fetchone()
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as db:
            db.execute("DROP DATABASE trial_snapshot WITH (FORCE)")
    assert plan is not None
    assert (plan.full_scans, plan.indexes) == ((), ("burnish_trial",))
    assert "scratch copy" in plan.tried_on
    assert (left, copies) == ((0,), (0,))


@pytest.mark.postgres
def test_writes_are_those_that_the_database_has_counted(database: PostgresDatabase, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("SELECT pg_stat_reset()")
        db.execute("INSERT INTO product (sku) SELECT 'w' FROM generate_series(1, 30)")
        db.execute("UPDATE product SET price = 1 WHERE sku = 'w'")
        db.execute("DELETE FROM product WHERE sku = 'w'")
    with psycopg.connect(postgres_url, autocommit=True) as db:  # a session tells its counts when it ends
        counted = database.writes("product")
        since = db.execute("SELECT extract(epoch FROM stats_reset) FROM pg_stat_database"
                           " WHERE datname = current_database()").fetchone()  # fmt: skip
    assert counted is not None
    assert counted.writes_per_minute == 90  # less than a minute ago: they count as a minute's
    assert since is not None
    assert counted.since_unix_ns == pytest.approx(float(since[0]) * 1e9)
    assert counted.bytes > 0
    assert database.writes("nowhere") is None


@pytest.mark.postgres
def test_a_lost_session_is_made_again(database: PostgresDatabase, postgres_url: str) -> None:
    assert database.rows("product") == 20
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'burnish'")
    with pytest.raises(Unavailable):
        database.rows("product")
    assert database.rows("product") == 20


@pytest.mark.parametrize(
    "url",
    [
        "postgres://app:hunter%402@127.0.0.1:1/shop",
        "postgres://app:hunter%402@127.0.0.1:port/shop",
        "postgres://app:hunter%402@127.0.0.1/shop?no_such_option=1",
    ],
)
def test_a_server_that_cannot_be_reached_is_unavailable_without_the_password(url: str) -> None:
    with pytest.raises(Unavailable) as error:
        PostgresDatabase(url).rows("t")
    message = str(error.value)
    assert "PostgreSQL" in message
    assert "hunter" not in message
    assert error.value.__cause__ is None
