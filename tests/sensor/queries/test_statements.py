from __future__ import annotations

from burnish_sensor.queries.statements import OTHER_TEXT, Statements, statement_id


def test_different_texts_of_one_shape_have_one_id() -> None:
    statements = Statements()
    first = statements.identify("SELECT 1", "sqlite")
    assert statements.identify("SELECT  2", "sqlite") == first == statement_id("SELECT ?")
    assert statements.to_dict(first) == {"text": "SELECT ?", "system": "sqlite"}


def test_beyond_the_capacity_statements_are_other() -> None:
    statements = Statements(capacity=1)
    statements.identify("SELECT a", "sqlite")
    others = {statements.identify(sql, "sqlite") for sql in ("SELECT b", "SELECT c")}
    assert others == {statement_id(OTHER_TEXT)}
    assert statements.dropped == 2


def test_long_statements_take_a_bounded_room() -> None:
    statements = Statements()
    texts = [f"SELECT {', '.join(f'column_{n}_{m}' for m in range(3_000))} FROM t" for n in range(40)]
    identities = [statements.identify(text, "sqlite") for text in texts]
    assert statements.dropped > 0
    assert identities[-1] == statement_id(OTHER_TEXT)
    kept = {identity for identity in identities if identity != statement_id(OTHER_TEXT)}
    assert kept
    assert sum(len(statements.to_dict(identity)["text"]) for identity in kept) <= 1_000_000
