"""What is read off a normalised statement without a parser."""

from __future__ import annotations

import pytest

from burnish_tools.databases.statement import aliases, limited, numbered, placeholders, plannable


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE orders",
        "SELECT ?; DROP TABLE orders",
        "SELECT /* not normalised */",
        "SELECT ? -- and more",
        "BEGIN",
        "PRAGMA user_version",
        "",
    ],
)
def test_only_single_plannable_statements_are_let_through(statement: str) -> None:
    assert plannable(statement) is None


@pytest.mark.parametrize(
    "statement",
    ["SELECT ?", "WITH a AS (SELECT ?) SELECT * FROM a", '(SELECT ";" FROM t)', "DELETE FROM t WHERE a = ?"],
)
def test_ordinary_statements_are(statement: str) -> None:
    assert plannable(statement + ";") == statement


def test_placeholders_inside_quotes_are_names() -> None:
    assert placeholders('SELECT "why?" FROM t WHERE a = ? AND b IN (?)') == 2


@pytest.mark.parametrize(
    "statement, expected",
    [
        ('SELECT "a?" FROM t WHERE a = ? AND b = ?', ('SELECT "a?" FROM t WHERE a = $1 AND b = $2', 2)),
        ("SELECT * FROM t WHERE a = ? LIMIT ? OFFSET ?", ("SELECT * FROM t WHERE a = $1 LIMIT 20 OFFSET 0", 1)),
        ("SELECT * FROM t FETCH FIRST ? ROWS ONLY", ("SELECT * FROM t FETCH FIRST 20 ROWS ONLY", 0)),
    ],
)
def test_parameters_are_numbered_and_limits_are_a_page(statement: str, expected: tuple[str, int]) -> None:
    assert numbered(statement) == expected


def test_aliases_and_limits() -> None:
    statement = 'SELECT o.id FROM "order" o INNER JOIN public.line AS T3 ON (o.id = T3.order_id) WHERE o.a = ? LIMIT ?'
    assert aliases(statement) == {"order": "order", "o": "order", "line": "line", "T3": "line"}
    assert limited(statement)
    assert not limited('SELECT "limit" FROM t WHERE a = ?')
