from __future__ import annotations

import ast
import re
import sys
from collections import OrderedDict, defaultdict, deque
from typing import Any

import pytest

from burnish_sensor.exemplars.facts import UNKNOWN, arguments_of, named, parameters_of, power_class, shape_of, type_name
from burnish_sensor.mechanisms.registry import Function, Source


class Hostile:
    """Notices that somebody asks it anything."""

    asked: list[str] = []
    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        Hostile.asked.append(name)
        raise RuntimeError(name)

    def __len__(self) -> int:
        Hostile.asked.append("len")
        return 1

    def __bool__(self) -> bool:
        Hostile.asked.append("bool")
        return True

    def __eq__(self, other: object) -> bool:
        Hostile.asked.append("eq")
        return True


class HostileMeta(type):
    def __hash__(cls) -> int:
        raise RuntimeError("hashed")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("compared")

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("asked for its module")


class LongList(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        raise RuntimeError("asked for its length")


def function(text: str, name: str = "f") -> Function:
    node = next(n for n in ast.walk(ast.parse(text)) if getattr(n, "name", "") == name)
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return Function("m:f", "m.py", node.lineno, node.end_lineno or 0, "function", Source(text))


@pytest.mark.parametrize(
    "count, expected",
    [(0, 0), (1, 1), (2, 2), (3, 2), (4, 4), (7, 4), (8, 8), (1023, 512), (1 << 20, 1 << 20), (1 << 25, 1 << 20)],
)
def test_size_classes_are_powers_of_two(count: int, expected: int) -> None:
    assert power_class(count, 1 << 20) == expected


@pytest.mark.parametrize(
    "thing, kind, size",
    [
        ("abc", "str", 2),
        (b"", "bytes", 0),
        (bytearray(9), "bytearray", 8),
        ([1], "list", 1),
        ((1, 2, 3, 4), "tuple", 4),
        ({1: 2}, "dict", 1),
        ({1, 2}, "set", 2),
        (frozenset("abcd"), "frozenset", 4),
        (deque([1]), "collections.deque", 1),
        (OrderedDict(a=1), "collections.OrderedDict", 1),
        (defaultdict(int, a=1), "collections.defaultdict", 1),
        (None, "NoneType", None),
        (17, "int", None),
        (1.5, "float", None),
        (range(9), "range", None),
        (LongList([1]), f"{__name__}.LongList", None),
    ],
)
def test_only_built_in_containers_have_a_size(thing: Any, kind: str, size: int | None) -> None:
    assert shape_of(thing)[:2] == (kind, size)


def test_no_code_of_the_application_runs() -> None:
    Hostile.asked.clear()
    assert shape_of(Hostile()) == (f"{__name__}.Hostile", None, None)
    assert shape_of(HostileMeta("Kind", (), {})()) == ("<type>", None, None)
    assert Hostile.asked == []


class Outer:
    class Inner:
        pass


def test_a_class_that_was_made_while_the_program_ran_is_not_named() -> None:
    assert type_name(type("mallory@example.org", (), {})) == "<type>"
    assert type_name(type("Mallory", (), {})) == "<type>"
    assert type_name(type("Mallory", (), {"__module__": "builtins"})) == "<type>"
    assert type_name(type("Outer", (), {})) == "<type>"
    assert type_name(type("Mallory", (), {"__module__": 7})) == "<type>"
    assert type_name(type("A" * 200, (), {})) == "<type>"


def test_a_definition_is_named_wherever_it_is() -> None:
    class Local:
        pass

    assert type_name(Outer) == f"{__name__}.Outer"
    assert type_name(Outer.Inner) == f"{__name__}.Outer.Inner"
    assert type_name(Local).endswith("<locals>.Local")
    assert type_name(type(re.compile("x"))) == "re.Pattern"
    assert type_name(type(n for n in ())) == "generator"


def call(a: Any, b: Any = 1, *rest: Any, key: Any = None, **named: Any) -> dict[str, Any]:
    unrelated = "not a parameter"
    return arguments_of(sys._getframe()) if unrelated else {}


def test_parameters_are_read_by_name_with_their_variadic_ones() -> None:
    shapes = call("x", [1, 2], 3, 4, key={}, z=0)
    assert {name: shape.size for name, shape in shapes.items()} == {"a": 1, "b": 2, "key": 0, "rest": 2, "named": 1}


def test_at_most_six() -> None:
    def many(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> dict[str, Any]:
        return arguments_of(sys._getframe())

    assert sorted(many(1, 2, 3, 4, 5, 6, 7)) == ["a", "b", "c", "d", "e", "f"]


def test_a_parameter_that_a_closure_shares_is_read_and_one_that_was_deleted_is_not() -> None:
    def outer(shared: Any, gone: Any) -> dict[str, Any]:
        del gone
        shares = lambda: shared  # noqa: E731
        return arguments_of(sys._getframe()) if shares() is shared else {}

    assert {name: shape.kind for name, shape in outer([], 1).items()} == {"shared": "list"}


def test_a_dictionary_of_locals_that_the_application_keeps_is_not_changed() -> None:
    def keeps(a: int) -> dict[str, Any]:
        taken = locals()
        later = 1
        return taken if arguments_of(sys._getframe()) is not None and later else {}

    assert "later" not in keeps(1)


def test_without_a_frame_there_are_no_arguments() -> None:
    assert arguments_of(None) == {}


SOURCE = '''
class Basket:
    """A text
that begins at the margin."""
    def f(self, items, count, verbose=False, *, dry=True, level=0, name=None):
        """Docstring
at the margin."""
        count = count or 10
        for items[0] in (): pass
        with open(name) as name: pass
        return [level for level in items]
'''


def test_what_a_function_assigns_to_and_its_flags_are_read_from_its_source() -> None:
    found = parameters_of(function(SOURCE))
    assert found.rebound & {"self", "items", "count", "verbose", "dry", "level", "name"} == {"count", "level", "name"}
    assert found.flags == {"verbose", "dry"}


@pytest.mark.parametrize("line", [1, 4, 999])
def test_where_the_source_is_not_what_it_was_nothing_is_known(line: int) -> None:
    assert parameters_of(Function("m:f", "m.py", line, line + 1, "function", Source(SOURCE))) == UNKNOWN


def test_facts_are_written_by_how_much_is_known_of_a_parameter() -> None:
    shapes = {"items": shape_of([1] * 9), "count": shape_of(3), "verbose": shape_of(True), "name": shape_of(False)}
    assert named(shapes, parameters_of(function(SOURCE))) == {
        "arg.items.type": "list",
        "arg.items.size": 8,
        "end.count.type": "int",
        "arg.verbose.type": "bool",
        "arg.verbose.is": True,
        "end.name.type": "bool",
    }
    assert set(named(shapes, UNKNOWN)) == {
        "end.items.type",
        "end.items.size",
        "end.count.type",
        "end.verbose.type",
        "end.name.type",
    }
