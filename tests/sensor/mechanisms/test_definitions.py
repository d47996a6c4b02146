"""What is read from files by the code of a function is what the rewriter knows from the syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from burnish_sensor.mechanisms.definitions import Definitions, Discovered
from burnish_sensor.mechanisms.registry import Function, Source
from burnish_sensor.mechanisms.rewrite import rewrite

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="code has no qualified name before Python 3.11")

TRICKY = '''
import functools

class Order:
    """Text
with a margin of nothing."""

    @property
    def total(self):
        return 1

    @total.setter
    def total(self, value):
        self.value = value

    @functools.lru_cache(
        maxsize=None,
    )
    def decorated(
        self,
        a,
    ): return [
        a,
    ]

    def dead(self):
        return 1
        print("never")

        # at the end

    def text(self):
        return """
no margin
"""

    async def stream(self):
        """Text."""
        for x in range(3):
            yield x
def outer():
\tdef inner():
\t\tpass
\tdef inner():
\t\treturn 2
\treturn inner
if outer:
    def branch(): return 1
else:
    def branch(): return 2
def branch(): raise NotImplementedError
def last(): ...
'''


def codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 1 and constant.co_name[0] != "<":
                yield constant
            yield from codes(constant)


def from_tree(text: str) -> dict[tuple[str, int], Function]:
    found: list[Function] = []

    def add(function: Function) -> int:
        found.append(function)
        return len(found)

    rewrite(ast.parse(text), "m", "m.py", Source(text), add)
    return {(function.name, function.line): function for function in found}


def check(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    expected, checked = from_tree(text), 0
    definitions = Definitions()
    for code in codes(compile(text, str(path), "exec", dont_inherit=True)):
        function = Discovered("m", code, "m.py", "function", definitions)
        known = expected.get((function.name, function.line))
        if known is None:
            continue  # not rewritten: compiled elsewhere, or reads its locals
        assert (function.end_line, function.body) == (known.end_line, known.body), function.name
        checked += 1
    return checked


def test_tricky_definitions_are_those_of_the_syntax_tree(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(TRICKY)
    assert check(path) == len(from_tree(TRICKY)) == 13


@pytest.mark.parametrize("module", ["argparse", "dataclasses", "typing", "textwrap", "inspect", "threading", "enum"])
def test_definitions_of_real_modules_are_those_of_the_syntax_tree(module: str) -> None:
    path = Path(argparse_folder()) / f"{module}.py"
    assert check(path) > 10


def argparse_folder() -> str:
    import argparse

    return str(Path(argparse.__file__).parent)


def test_a_lambda_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("\nf = lambda: 1\n")
    code = next(c for c in compile(path.read_text(), str(path), "exec").co_consts if isinstance(c, CodeType))
    function = Discovered("m", code, "m.py", "function", Definitions())
    assert (function.name, function.line, function.body) == ("m:<lambda>:2", 2, "")


def test_a_file_that_has_changed_since_tells_no_body(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("def f():\n    return 1\n")
    code = next(codes(compile(path.read_text(), str(path), "exec")))
    function = Discovered("m", code, "m.py", "function", Definitions())
    path.write_text("def f():\n    return 1000\n")
    assert (function.name, function.line, function.body) == ("m:f", 1, "")
