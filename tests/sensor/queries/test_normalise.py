from __future__ import annotations

import random
import string

import pytest

from burnish_sensor.queries.normalise import normalise

CASES = [
    ("sqlite", "SELECT  a\n FROM t -- why\nWHERE id = 5", "SELECT a FROM t WHERE id = ?"),
    ("sqlite", "SELECT a FROM t WHERE x = 'it''s' LIMIT 21 OFFSET 3", "SELECT a FROM t WHERE x = ? LIMIT ? OFFSET ?"),
    ("sqlite", 'SELECT "a"."b" FROM "a" WHERE "id" IN (%s, %s,%s)', 'SELECT "a"."b" FROM "a" WHERE "id" IN (?)'),
    ("sqlite", 'select 1 where n = "bob" and m in ("x", "y")', "select ? where n = ? and m in (?)"),
    ("sqlite", 'INSERT INTO t ("a") VALUES (%s), (%s)', 'INSERT INTO t ("a") VALUES (?)'),
    ("sqlite", 'SELECT "not a name" FROM t', "SELECT ? FROM t"),
    ("postgresql", "SELECT $1::int, a->>'k', b FROM t", "SELECT ?::int, a->>?, b FROM t"),
    ("postgresql", "SELECT $q$ it's $q$, arr[1:2] #> '{a}'", "SELECT ?, arr[?:?] #> ?"),
    ("postgresql", "SELECT :name, :n2 WHERE x = ANY(ARRAY[1, 2])", "SELECT ?, ? WHERE x = ANY(ARRAY[?])"),
    ("postgresql", "SELECT 1 WHERE (a, b) IN ((1, 2), (3, 4))", "SELECT ? WHERE (a, b) IN ((?, ?))"),
    ("postgresql", "SELECT E'a\\'b', 1", "SELECT /* not normalised */"),
    ("mysql", "SELECT 'a\\n', \"text\" FROM `t` # c", "SELECT ?, ? FROM `t`"),
    ("mysql", "SELECT 'a\\'b' FROM t", "SELECT /* not normalised */"),
    ("", "SELECT 'a'b FROM t", "SELECT /* not normalised */"),
    ("", "SELECT 0xFF, 1.5e-3, .5, -3 FROM t2", "SELECT ?, ?, ?, -? FROM t2"),
    ("", "SELECT %(name)s, ?1, @p FROM t", "SELECT ?, ?, ? FROM t"),
    ("", "/* tag */ UPDATE t SET a='open", "UPDATE /* not normalised */"),
    ("", "SELECT 1 /* open", "SELECT /* not normalised */"),
    ("", "SELECT 12monkeys", "SELECT /* not normalised */"),
    ("", "hunter2 'open", "SQL /* not normalised */"),
]


@pytest.mark.parametrize(("system", "sql", "expected"), CASES)
def test_normalise(system: str, sql: str, expected: str) -> None:
    assert normalise(sql, system) == expected


@pytest.mark.parametrize("system", ["sqlite", "postgresql", "mysql", "oracle", ""])
def test_no_literal_survives(system: str) -> None:
    draw = random.Random(11)
    for _ in range(400):
        secret = "".join(draw.choice(string.ascii_letters) for _ in range(12))
        around = "".join(draw.choice(" '\"\\%$;-/*#:\n\té`") for _ in range(draw.randint(0, 4)))
        text = draw.choice([secret + around, around + secret])
        literal = "'" + text.replace("'", "''") + "'"
        number = str(draw.randint(10**8, 10**9))
        sql = f"SELECT a FROM t WHERE a = {literal} AND b IN ({number}, {literal}) /* {number} */ LIMIT {number}"
        result = normalise(sql, system)
        assert secret not in result, (sql, result)
        assert number not in result, (sql, result)


def test_a_statement_that_is_too_long_is_only_its_verb() -> None:
    assert normalise("SELECT " + "a, " * 50_000) == "SELECT /* not normalised */"


def test_nothing_takes_long_to_read() -> None:
    """Exponential or quadratic patterns would not end within the time of a test run."""
    assert normalise("/**/" * 200 + "'") == "SQL /* not normalised */"
    assert normalise("/**/\n-- x\n" * 50 + "SELECT '") == "SELECT /* not normalised */"
    assert normalise("SELECT " + "9" * 90_000 + "x") == "SELECT /* not normalised */"


def test_in_mysql_two_minus_signs_begin_a_comment_only_before_a_space() -> None:
    assert normalise("SELECT 5--'secret'", "mysql") == "SELECT ?--?"
    assert normalise("SELECT 5 -- 'secret'", "mysql") == "SELECT ?"


def test_a_slice_stays_as_it_is() -> None:
    once = normalise("SELECT arr[1:n] FROM t", "postgresql")
    assert normalise(once, "postgresql") == once
