from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from burnish_tools.proof.harness import capture, hook

SOURCE = """
import functools


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        return 2 * function(*args)
    return wrapper


@doubled
def added(a: int, b: int = 1, *, c: "int | None" = None) -> int:
    return a + b


def made(factor):
    def inner(x):
        return x * factor
    return inner


class Base:
    @property
    def size(self):
        return 3

    @classmethod
    def named(cls, name):
        return cls.__name__ + name

    def own(self):
        return __class__.__name__


def numbers(n):
    yield from range(n)


async def later(n):
    return n


registry = {"added": added, "made": functools.partial(made, 3)}
inner = made(4)
"""


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    found = types.ModuleType("hooked_module")
    exec(compile(SOURCE, "hooked.py", "exec", dont_inherit=True), found.__dict__)
    sys.modules[found.__name__] = found
    yield found
    del sys.modules[found.__name__]


def exchanged(name: str) -> list[Any]:
    """Hooks the function; the arguments of each call."""
    function, seen = hook.find(f"hooked_module:{name}"), []

    def around(original: Any, args: Any, kwargs: Any) -> Any:
        seen.append((args, kwargs))
        return original(*args, **kwargs)

    hook.exchange(function, around)
    return seen


def test_the_function_below_its_decorators_is_hooked_for_every_holder(module: Any) -> None:
    seen = exchanged("added")
    assert module.registry["added"](4) == 10
    assert seen == [((4,), {})]
    assert (
        str(inspect.signature(hook.find("hooked_module:added")))
        == "(a: int, b: int = 1, *, c: 'int | None' = None) -> int"
    )


@pytest.mark.parametrize(
    "name, call, result",
    [
        ("made", lambda m: m.registry["made"]()(5), 15),
        ("inner", lambda m: m.inner(2), 8),
        ("Base.size", lambda m: m.Base().size, 3),
        ("Base.named", lambda m: m.Base.named("s"), "Bases"),
        ("Base.own", lambda m: m.Base().own(), "Base"),
        ("numbers", lambda m: list(m.numbers(3)), [0, 1, 2]),
        ("later", lambda m: asyncio.run(m.later(3)), 3),
    ],
)
def test_every_kind_of_function_works_as_before(module: Any, name: str, call: Any, result: Any) -> None:
    seen = exchanged(name)
    assert call(module) == result
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["missing", "Base.missing", "registry", "Base"])
def test_what_is_no_function_is_told(module: Any, name: str) -> None:
    with pytest.raises(LookupError, match=name.rpartition(".")[2]):
        hook.find(f"hooked_module:{name}")


def test_parameters_are_told_with_their_annotations_as_text(module: Any) -> None:
    told = capture.parameters(hook.find("hooked_module:added"))
    assert [(p["name"], p["type"], p["required"]) for p in told] == [
        ("a", "int", True),
        ("b", "int", False),
        ("c", "int | None", False),
    ]


def test_arguments_survive_and_what_cannot_is_told_without_values() -> None:
    assert pickle.loads(capture.pickled(([1],), {"a": {2}})) == (([1],), {"a": {2}})
    with pytest.raises(capture.Unportable, match=r"^cannot be pickled \(\w+\)$"):
        capture.pickled((lambda: "secret",), {})
    with pytest.raises(capture.Unportable, match="more than 2 MB"):
        capture.pickled((b"x" * 3 * 2**20,), {})


def test_partial_objects_lead_to_what_they_call() -> None:
    assert hook.innermost(functools.partial(exchanged), "n") is exchanged
