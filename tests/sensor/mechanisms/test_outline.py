"""The outline of a module against its syntax tree."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from burnish_sensor.mechanisms.outline import Definition, definitions


def from_tree(text: str) -> list[Definition]:
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.append((child.lineno, prefix + child.name))
                visit(child, prefix + child.name + ".<locals>.")
            else:
                visit(child, prefix + child.name + "." if isinstance(child, ast.ClassDef) else prefix)

    visit(ast.parse(text), "")
    names = [name for _, name in sorted(found)]
    return [Definition(line, name, name in names[:place]) for place, (line, name) in enumerate(sorted(found))]


@pytest.mark.parametrize("module", ["argparse", "typing", "inspect", "enum", "tarfile", "asyncio/base_events"])
def test_real_modules(module: str) -> None:
    text = (Path(ast.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    assert list(definitions(text)) == from_tree(text)


TEXTS = {
    "examples in strings": '''
        class A:
            """An example:

        class B:
            def f(self): "quoted"
        def f(): pass
            """
            def f(self): return 'def g(): # no comment \\' still'
            def f(self): return """ ' """  # def h(): "
            text = r"\\""; other = "\\\\"
            def g(self): pass
        ''',
    "the branches of a condition": """
        def f(): pass
        if f:
            def g(): pass
        else:
            def g(): pass
            class A:
                def g(self): pass
        try:
            def h(): pass
        except ValueError:
            async def h(): pass
        """,
    "methods of one name in classes of two": """
        class A:
            def __init__(self): pass
            class B:
                def __init__(self): pass
            def __init__(self, x):
                def __init__(): pass
        class B:
            def __init__(self): pass
        """,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_looks_alike_is_told_apart(text: str) -> None:
    text = textwrap.dedent(text)
    assert list(definitions(text)) == from_tree(text) != []
