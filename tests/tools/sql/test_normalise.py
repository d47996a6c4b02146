"""What is kept of a statement from outside, and that it is what the sensor keeps."""

from __future__ import annotations

import pytest

from burnish_sensor.queries.normalise import normalise as sensors
from burnish_sensor.queries.statements import OTHER_TEXT
from burnish_tools.sql import normalise
from burnish_tools.sql.normalise import LONGEST, LONGEST_SHAPE
from tests.tools.sql.corpus import SHARED

UNREADABLE = "SELECT /* not normalised */"


@pytest.mark.parametrize("system, sql, expected", SHARED)
def test_the_sensor_says_the_same(system: str, sql: str, expected: str) -> None:
    assert normalise(sql, system) == expected
    assert sensors(sql, system) == expected


@pytest.mark.parametrize("system, text", [*((system, text) for system, _, text in SHARED), ("sqlite", OTHER_TEXT)])
def test_what_is_normalised_stays(system: str, text: str) -> None:
    assert normalise(text, system) == text


@pytest.mark.parametrize(
    "system, sql, expected",
    [
        ("postgresql", "SELECT E'a\\'b', 1", "SELECT ?, ?"),
        ("postgresql", "SELECT 1 /* a /* b */ ' */ + 2", "SELECT ? + ?"),
        ("postgresql", "SELECT a FROM t WHERE b = $2 AND c IN ($3 /*, ... */)",
         "SELECT a FROM t WHERE b = ? AND c IN (? )"),
        ("postgresql", "SELECT a$1 FROM v$session", "SELECT a$1 FROM v$session"),
        ("postgresql", 'SELECT U&"d\\0061t", arr[1:n]', 'SELECT U&"d\\0061t", arr[?:n]'),
        ("mysql", "SELECT 'a\\'b', \"it's\" FROM t", "SELECT ?, ? FROM t"),
        ("mysql", "SELECT 5--3", "SELECT ?- -?"),
        ("mysql", "SELECT 1 /* /* */ , 2", "SELECT ? , ?"),
        ("mysql", "SELECT 1 -- it's\n, 2 # it's\n, 3", "SELECT ? , ? , ?"),
        ("oracle", "SELECT q'[it's]', nq'!a'b!' FROM dual", "SELECT ?, ? FROM dual"),
        ("mssql", "SELECT [a b], [it's 5] FROM #tmp", "SELECT [a b], ? FROM #tmp"),
        ("sqlite", "SELECT $name, ?2, @x, :y", "SELECT ?, ?, ?, ?"),
        ("", 'SELECT concat("secret", a) FROM t', "SELECT concat(?, a) FROM t"),
        ("", 'SELECT "a" FROM "t"', 'SELECT "a" FROM "t"'),
        ("", "SELECT a #> b", "SELECT a #> b"),
        ("", "SELECT * FROM t WHERE a LIKE'x'", "SELECT * FROM t WHERE a LIKE?"),
        ("postgresql", 'SELECT "a\x00b"', "SELECT ?"),
    ],
)  # fmt: skip
def test_what_the_sensor_does_not_read(system: str, sql: str, expected: str) -> None:
    assert normalise(sql, system) == expected
    assert normalise(expected, system) == expected


@pytest.mark.parametrize(
    "sql, expected",
    [
        ('SAVEPOINT "s140123456_x1"', "SAVEPOINT s?"),
        ("ROLLBACK TO SAVEPOINT sa_savepoint_12", "ROLLBACK TO SAVEPOINT s?"),
        ('FETCH FORWARD 100 FROM "_django_curs_1401_sync_1"', "FETCH FORWARD ? FROM s?"),
        ('DECLARE "_django_curs_1401_sync_1" NO SCROLL CURSOR FOR SELECT a1 FROM t2',
         "DECLARE s? NO SCROLL CURSOR FOR SELECT a1 FROM t2"),
        ("DEALLOCATE _pg3_17", "DEALLOCATE s?"),
        ("SELECT * FROM tmp_8f14e45fceea167a", "SELECT * FROM tmp_?"),
        ("DROP TABLE stage_20240131", "DROP TABLE stage_?"),
        ("SELECT a FROM x_550e8400_e29b, facade, decade2", "SELECT a FROM x_?, facade, decade2"),
        ("SAVEPOINT before_payment", "SAVEPOINT before_payment"),
    ],
)  # fmt: skip
def test_names_that_carry_data_lose_it(sql: str, expected: str) -> None:
    assert normalise(sql, "postgresql") == expected
    assert normalise(expected, "postgresql") == expected


@pytest.mark.parametrize(
    "system, sql",
    [
        ("postgresql", "SELECT 'a\\' , ' secret '"),  # a setting decides where the string ends
        ("postgresql", "SELECT 1 /* /* */"),
        ("postgresql", "SELECT `a`"),
        ("postgresql", "SELECT $a$ secret $b$"),
        ("mysql", "SELECT 'c:\\' , ' secret ' , 'd:\\'"),  # with or without backslashes it reads, but differently
        ("oracle", "SELECT q'[secret' FROM t"),
        ("", "SELECT 'a\\' , ' secret '"),
        ("", "SELECT r'secret'"),
        ("", "SELECT '''it ' secret ''' FROM t"),
        ("", "SELECT 1 --it's\n, ' secret '"),
        ("", "SELECT 1 # it's\n, ' secret '"),
        ("", "SELECT 1 /* /* */ , ' secret '"),
        ("", "SELECT $a$ ' $a$, ' secret '"),
        ("", 'SELECT "a\\" , " secret "'),
        ("", "SELECT \ud800"),
        ("postgresql", "SELECT '" + "a" * LONGEST + "'"),
        ("postgresql", "SELECT " + "ab, " * (LONGEST_SHAPE // 4) + "1"),
    ],
)
def test_what_is_not_certain_is_only_its_verb(system: str, sql: str) -> None:
    assert normalise(sql, system) == UNREADABLE


def test_an_unreadable_text_is_no_way_to_pass_words() -> None:
    assert normalise("HUNTER /* not normalised */") == "SQL /* not normalised */"
    assert normalise("SELECT /* not normalised */") == UNREADABLE
