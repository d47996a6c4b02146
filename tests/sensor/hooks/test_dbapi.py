from __future__ import annotations

import pytest

from burnish_sensor.hooks._dbapi import forget, recall, remember, text_of
from burnish_sensor.queries.log import Execution


class Plain:
    pass


class Slotted:
    __slots__ = ("__weakref__",)


class Closed:
    __slots__ = ()


def execution() -> Execution:
    return Execution(("statement", (1, "app.py", 1)), 1, 1, None)


@pytest.mark.parametrize("cursor", [Plain(), Slotted()])
def test_a_cursor_remembers_its_last_execution(cursor: object) -> None:
    assert recall(cursor) is None
    one = execution()
    remember(cursor, one)
    assert recall(cursor) is one
    forget(cursor)
    assert recall(cursor) is None


def test_a_cursor_that_can_hold_nothing_is_left_alone() -> None:
    cursor = Closed()
    remember(cursor, execution())
    forget(cursor)
    assert recall(cursor) is None


def test_text_of_what_drivers_take() -> None:
    class Composed:
        def as_string(self, context: object) -> str:
            return f"SELECT 1 /* {context} */"

    assert text_of("SELECT 1") == "SELECT 1"
    assert text_of(b"SELECT \xff") == "SELECT \ufffd"
    assert text_of(Composed(), "cursor") == "SELECT 1 /* cursor */"
