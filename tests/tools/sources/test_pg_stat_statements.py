"""What a real PostgreSQL has counted, joined to the dataset's statements."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish.errors import ConfigError
from burnish.statements import chosen, covered
from burnish.testing import windows as w
from burnish.testing.postgres import Cluster, PostgresMissing
from burnish_tools.databases.postgres import PostgresDatabase
from burnish_tools.sources import pg_stat_statements as source
from burnish_tools.sources.pg_stat_statements import Counted, Remarks, key, remark, server_statements, statements
from tests.tools.detectors.shapes import Plans, detect, store

psycopg = pytest.importorskip("psycopg")
VIEW = "shop.views:movements"
SQL = 'SELECT * FROM "movement" WHERE "movement"."sku" = ? AND "movement"."qty" > ? LIMIT ?'


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with Cluster.started(preload="pg_stat_statements") as cluster:
            with psycopg.connect(cluster.url(), autocommit=True) as db:
                if not db.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'").fetchone():
                    pytest.skip("the server has no pg_stat_statements: install Debian's package postgresql-contrib")
            yield cluster
    except PostgresMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> PostgresDatabase:
    """A table, 40 reads of it by two kinds of clients, and one report that no sensor saw."""
    with psycopg.connect(cluster.url(), autocommit=True) as db:
        db.execute("CREATE EXTENSION pg_stat_statements")
        db.execute("CREATE TABLE movement (id serial PRIMARY KEY, sku text, qty int)")
        db.execute("INSERT INTO movement (sku, qty) SELECT 's' || i % 10, i FROM generate_series(1, 1000) i")
        db.execute("ANALYZE movement")
        db.execute("SELECT pg_stat_statements_reset()")
        for _ in range(30):
            db.execute(
                'SELECT * FROM "movement" WHERE "movement"."sku" = %s AND "movement"."qty" > %s LIMIT 5', ("s1", -3)
            )
        cursor = psycopg.ClientCursor(db)
        for _ in range(10):
            cursor.execute(
                """select * from "movement"
                   where "movement"."sku" = 's2'::text and "movement"."qty" > -3 limit 5 -- hunter2"""
            )
        db.execute("SELECT sku, sum(qty) FROM movement WHERE sku <> 'hunter2' GROUP BY sku")
    return PostgresDatabase(cluster.url())


@pytest.mark.postgres
def test_statements_are_normalised_and_counted(database: PostgresDatabase) -> None:
    counted = {key(one.statement): one for one in statements(database)}
    one = counted[key(SQL)]
    assert one.calls == 40
    assert one.rows == 200
    assert one.total_ms > 0
    assert one.blocks_hit > 0
    assert one.calls_per_minute is None  # reset a moment ago: no rate yet
    assert not any("hunter2" in each.statement for each in counted.values())


@pytest.mark.postgres
def test_statements_are_joined_to_the_functions_that_send_them(
    cluster: Cluster, database: PostgresDatabase, tmp_path: Path
) -> None:
    _, profile = store(tmp_path, calls={VIEW: 10}, queries=[w.query(SQL, at=f"{VIEW}:3")], system="postgresql")
    found = {key(one.statement): one for one in server_statements(cluster.url(), profile)}
    assert found[key(SQL)].functions == (VIEW,)
    elsewhere = found[key("SELECT sku, sum(qty) FROM movement WHERE sku <> ? GROUP BY sku")]
    assert elsewhere.functions == ()
    (first,) = chosen(list(found.values()), unseen=True, top=1)
    assert first.functions == ()
    assert 0 < covered(list(found.values())) < 1


def test_only_postgresql_counts_statements(tmp_path: Path) -> None:
    _, profile = store(tmp_path, calls={VIEW: 10}, queries=[])
    with pytest.raises(ConfigError, match=r"service\.database is no PostgreSQL"):
        server_statements("sqlite:///db.sqlite3", profile)


@pytest.mark.postgres
def test_tables_and_columns(database: PostgresDatabase) -> None:
    (table,) = source.tables(database)
    assert (table.table, table.rows) == ("movement", 1000)
    assert table.bytes > 0
    columns = {column.name: column for column in source.columns(database, "movement")}
    assert columns["sku"].distinct == 10
    assert columns["sku"].null_share == 0


@pytest.mark.postgres
def test_a_missing_extension_says_how_to_get_it(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    cluster.create("bare")
    with pytest.raises(ConfigError, match="database bare: run CREATE EXTENSION pg_stat_statements"):
        statements(PostgresDatabase(cluster.url("bare")))


@pytest.mark.postgres
def test_a_missing_library_says_how_to_load_it(
    postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError, match="shared_preload_libraries, restart"):
        statements(PostgresDatabase(postgres_url))
    findings, _ = detect("missing_index", tmp_path, database=_plans(), **_content())
    _, profile = store(tmp_path / "again", **_content())
    with caplog.at_level(logging.WARNING):
        remarks = Remarks(postgres_url)
        assert [remarks(findings[0], profile) for _ in range(2)] == [(), ()]
    assert len(caplog.records) == 1  # it is asked and told once


@pytest.mark.postgres
def test_a_role_that_may_not_read_others_statements_gets_none_of_them(
    cluster: Cluster, database: PostgresDatabase
) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as db:
        db.execute("CREATE ROLE nosy LOGIN")
    counted = statements(PostgresDatabase(cluster.url().replace("burnish@", "nosy@")))
    assert key(SQL) not in {key(one.statement) for one in counted}


def test_a_finding_says_which_part_of_the_executions_is_its_own(tmp_path: Path) -> None:
    """The database counts 200 a minute, the function runs it 20 times a minute."""
    findings, _ = detect("missing_index", tmp_path, database=_plans(), **_content())
    _, profile = store(tmp_path / "again", **_content())
    counted = Counted(
        query_ids=(7,), statement=SQL, calls=40_000, total_ms=120_000.0, rows=1, blocks_hit=300_000,
        blocks_read=100_000, calls_per_minute=200.0,
    )  # fmt: skip
    assert remark(counted, findings[0], profile) == (
        "The database itself counts 200.0 executions a minute; 10% of them from this function (20.0 a minute here), "
        "3.00 ms each in the server over 40,000 executions, 10 blocks each."
    )


@pytest.mark.parametrize(
    "server, client",
    [
        ("SELECT a FROM t WHERE b = ?::timestamptz", "select a from t where b=?"),
        ("SELECT a FROM t WHERE b = ? AND c IN (? )", "SELECT a FROM t WHERE b = -? AND c IN (?);"),
        ("SELECT ?::numeric(?, ?)", "SELECT ?"),
    ],
)
def test_the_servers_text_and_the_clients_are_one_statement(server: str, client: str) -> None:
    assert key(server) == key(client)
    assert key("SELECT a - ? FROM t") != key("SELECT a FROM t")


def _plans() -> Plans:
    return Plans({"movement": ("movement",)}, rows={"movement": 90_000}, system="postgresql")


def _content() -> dict[str, object]:
    calls = [w.calls(VIEW, 20, wall_ms=60, own_ms=5)]
    return {"calls": calls, "queries": [w.query(SQL, at=f"{VIEW}:3", times=20, ms=40, rows=20)], "system": "postgresql"}
