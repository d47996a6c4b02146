"""Recipes on garbage and on variations: they never raise, never fail inside, and leave every other line alone."""

from __future__ import annotations

import ast
import difflib
import random
import re

import pytest

from burnish.finding import Evidence, Finding, Site
from burnish.identity import body_hash
from burnish.job import Change, Declined
from burnish.why import Why
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import Act, BaseRecipe, MemorySource, Refuse, example_finding, title

OWN = [recipe for recipe in recipes() if isinstance(recipe, BaseRecipe)]
EVERY = [(recipe, example) for recipe in OWN for example in recipe.examples]
ACTS = [(recipe, example) for recipe, example in EVERY if isinstance(example, Act)]


def _name(value: object) -> str:
    return getattr(value, "name", str(value))


def _not_broken(answer: Change | Declined) -> None:
    assert isinstance(answer, Change) or " failed: " not in answer.detail, answer


GARBAGE = {
    "empty": {},
    "syntax error": {"a/b.py": "def f(:\n", "a/models.py": "class ("},
    "null byte": {"a/b.py": "x = '\0'\n"},
    "no function": {"a/b.py": "x = 1\n"},
    "empty files": {"a/b.py": "", "a/models.py": ""},
    "a class of that name": {"a/b.py": "class f:\n    pass\n"},
    "an odd function": {
        "a/b.py": "def f(*a, b=lambda: 0, **k):\n    *x, y = a\n    return [z for z in x if (w := z)]\n"
    },
    "calls itself": {"a/b.py": "def f(x):\n    for y in f(x):\n        f(y)\n    return f(x)\n"},
    "a base of itself": {
        "a/models.py": "from django.db import models\nclass A(A):\n    pass\n",
        "a/b.py": "def f():\n    pass\n",
    },
    "imports in a circle": {"a/b.py": "from a.c import f\n", "a/c.py": "from a.b import f\n"},
}  # fmt: skip
STATEMENTS = (
    "",
    "SELECT",
    'SELECT "a"."id" FROM "a" WHERE "a"."id" = ? LIMIT ?',
    'SELECT 1 FROM "a" WHERE "a"."b_id" = ?',
)


@pytest.mark.parametrize("recipe", OWN, ids=_name)
@pytest.mark.parametrize("files", GARBAGE.values(), ids=list(GARBAGE))
def test_declines_garbage(recipe: BaseRecipe, files: dict[str, str]) -> None:
    for statement in STATEMENTS:
        site = Site(function="a.b:f", file="a/b.py", line=99)
        evidence = Evidence(statement=statement, site=site, table="a", columns=("b",), path=("a.b:f", "x"))
        for function in ("a.b:f", "a.b:<lambda>:4", "f", "", "a.b:A.<locals>.f.<genexpr>"):
            answer = recipe.apply(example_finding("any", function, "a/b.py", evidence), MemorySource(files))
            assert isinstance(answer, Declined)
            _not_broken(answer)


@pytest.mark.parametrize("recipe", OWN, ids=_name)
def test_every_recipe_survives_every_example(recipe: BaseRecipe) -> None:
    for _, example in EVERY:
        _not_broken(recipe.apply(example.finding, MemorySource(example.files)))


@pytest.mark.parametrize("recipe, example", EVERY, ids=_name)
def test_survives_files_cut_short(recipe: BaseRecipe, example: Act | Refuse) -> None:
    dice = random.Random(7)
    for _ in range(4):
        cut = {path: text[: dice.randrange(len(text) + 1)] for path, text in example.files.items()}
        _not_broken(recipe.apply(example.finding, MemorySource(cut)))


@pytest.mark.parametrize("recipe, example", EVERY, ids=_name)
def test_is_deterministic(recipe: BaseRecipe, example: Act | Refuse) -> None:
    once, again = (recipe.apply(example.finding, MemorySource(example.files)) for _ in range(2))
    assert once == again


def _body(example: Act) -> str:
    tree = ast.parse(example.files[example.finding.file])
    wanted = example.finding.function.split(".")[-1].split(":")[-1]
    node = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == wanted
    )
    return body_hash(node)


HASHED = [(recipe, example) for recipe, example in ACTS if recipe.name != "composite_index"]


@pytest.mark.parametrize("recipe, example", HASHED, ids=_name)
def test_acts_on_the_measured_body_only(recipe: BaseRecipe, example: Act) -> None:
    measured = example.finding.model_copy(update={"body": _body(example)})
    assert isinstance(recipe.apply(measured, MemorySource(example.files)), Change)
    other = recipe.apply(example.finding.model_copy(update={"body": "0" * 16}), MemorySource(example.files))
    assert isinstance(other, Declined)
    assert other.why is Why.CODE_MOVED_ON


@pytest.mark.parametrize("recipe, example", HASHED, ids=_name)
def test_names_a_function_that_is_gone(recipe: BaseRecipe, example: Act) -> None:
    module = example.finding.function.split(":")[0]
    answer = recipe.apply(
        example.finding.model_copy(update={"function": f"{module}:gone"}), MemorySource(example.files)
    )
    assert isinstance(answer, Declined)
    assert answer.why is Why.FUNCTION_NOT_FOUND


# ── variations ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _vary(text: str, dice: random.Random) -> tuple[str, list[int]]:
    """Adds comments and blank lines between top-level statements, and comments at ends of lines. Also the line map."""
    starts = {node.lineno for node in ast.parse(text).body}
    inside = _string_lines(text)
    out: list[str] = []
    places: list[int] = [0]
    for number, line in enumerate(text.splitlines(), start=1):
        if number in starts and number > 1 and dice.random() < 0.5:
            out += ["", f"# note {dice.randrange(99)} Ünïcode"][: dice.randrange(3)]
        plain = line.strip() and "#" not in line and number not in inside and not line.endswith("\\")
        out.append(f"{line}  # é{dice.randrange(99)}" if plain and dice.random() < 0.3 else line)
        places.append(len(out))
    return "\n".join(out) + "\n", places


def _string_lines(text: str) -> set[int]:
    return {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and (node.end_lineno or 0) > node.lineno
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }


def _moved(finding: Finding, places: dict[str, list[int]]) -> Finding:
    """The same finding with its lines moved as the files were."""
    site = finding.evidence.site
    if site and site.file in places and site.line < len(places[site.file]):
        site = site.model_copy(update={"line": places[site.file][site.line]})
    line = places[finding.file][min(finding.line, len(places[finding.file]) - 1)] if finding.file in places else 1
    evidence = finding.evidence.model_copy(update={"site": site})
    return finding.model_copy(update={"evidence": evidence, "line": line})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("recipe, example", ACTS, ids=_name)
def test_leaves_every_other_line_as_it_was(recipe: BaseRecipe, example: Act, seed: int) -> None:
    dice = random.Random(seed)
    varied = {path: _vary(text, dice) for path, text in example.files.items() if text}
    files = {**example.files, **{path: text for path, (text, _) in varied.items()}}
    finding = _moved(example.finding, {path: places for path, (_, places) in varied.items()})
    change = recipe.apply(finding, MemorySource(files))
    assert isinstance(change, Change), change
    for edit in change.edits:
        ast.parse(edit.after)
        if edit.before is not None:
            assert _touched(edit.before, edit.after) == _touched(example.files[edit.path], example.after[edit.path])


def _touched(before: str, after: str) -> tuple[int, int]:
    """How many lines went and came."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return sum(line.startswith("- ") for line in lines), sum(line.startswith("+ ") for line in lines)


def _locals(text: str) -> list[str]:
    """Names that are assigned somewhere and are nothing else: no attribute, keyword, parameter or part of a string."""
    nodes = list(ast.walk(ast.parse(text)))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    other = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    other |= {node.arg for node in nodes if isinstance(node, (ast.arg, ast.keyword)) and node.arg}
    other |= {part for node in nodes if isinstance(node, ast.ImportFrom) for part in (node.module or "").split(".")}
    quoted = " ".join(ast.get_source_segment(text, node) or "" for node in nodes
                      if isinstance(node, (ast.JoinedStr, ast.Constant)))  # fmt: skip
    return sorted(name for name in stored - other if name.islower() and not re.search(rf"\b{name}\b", quoted))


@pytest.mark.parametrize("recipe, example", HASHED, ids=_name)
def test_does_not_depend_on_the_names_of_locals(recipe: BaseRecipe, example: Act) -> None:
    text = example.files[example.finding.file]
    for name in _locals(text):
        files = {**example.files, example.finding.file: re.sub(rf"\b{name}\b", f"x_{name}9", text)}
        change = recipe.apply(example.finding, MemorySource(files))
        assert isinstance(change, Change), (name, change)
        for edit in change.edits:
            ast.parse(edit.after)
            assert _touched(edit.before or "", edit.after) == _touched(
                example.files[edit.path], example.after[edit.path]
            )


@pytest.mark.parametrize("recipe, example", ACTS, ids=_name)
def test_keeps_line_ends(recipe: BaseRecipe, example: Act) -> None:
    files = {path: text.replace("\n", "\r\n") for path, text in example.files.items()}
    change = recipe.apply(example.finding, MemorySource(files))
    assert isinstance(change, Change), change
    for edit in change.edits:
        if edit.before is not None:
            assert edit.after == example.after[edit.path].replace("\n", "\r\n")


@pytest.mark.parametrize("text", ["Fetch a with b in c", "x" * 100, "word " * 30])
def test_title_fits(text: str) -> None:
    assert 0 < len(title(text)) <= 72
    assert text.startswith(title(text))
