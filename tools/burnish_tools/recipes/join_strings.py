"""Collects the parts of a text in a list and joins them once, where a loop adds them to a string one by one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.join_strings import JOIN_STRINGS
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.names import binders, free_name, is_inside, loads, refuse_shared
from burnish_tools.recipes.source.repo import Decline, Module, Repository
from burnish_tools.recipes.source.wording import quoted, short


class JoinStrings(BaseRecipe):
    """Join the parts of a text once.

    ## What it does
    A local string to which a loop adds with `+=` becomes a list of parts that is joined after the loop.

    ## Why it is slow
    A string cannot change: each `+=` may copy all that was there before. CPython has a way around that for a local
    to which nothing else refers, so *often there is no gain*, and the benchmark decides: what is not measurably faster
    is not proposed. Where the trick does not apply (another reference, a string that cannot grow in place, PyPy),
    the time grows with the square of the text's length.

    ## Example
    ```python
    page = ""
    for row in rows:
        page += f"{row.name}\\n"
    return page
    ```
    becomes
    ```python
    page_parts = []
    for row in rows:
        page_parts.append(f"{row.name}\\n")
    page = "".join(page_parts)
    return page
    ```

    ## Fix safety
    It acts only where the string and each part are certainly strings (literals, f-strings, `str(…)`, methods of
    these), the loop reads the string nowhere, and all that reads it stands after the loop in the same block: an error
    in the loop leaves the block before the string is read.

    ## Known problems
    The parts are kept until they are joined, which takes more memory for many small ones. For a few parts it is slower.
    """

    name = "join_strings"
    kinds = frozenset(("cpu_hot",))
    risk = 1.1
    examples = JOIN_STRINGS
    needles = ("+=",)

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        names = _added_to(function) if "+=" in function.text else []
        nothing = f"{function.name} adds to no local string in a loop"
        texts = fitting(names, lambda name: _text(function, name), nothing)
        return _describe(function, texts)


@dataclass(frozen=True)
class _Text:
    """A local string and the loop that adds to it."""

    name: str
    made: ast.Assign
    loop: ast.stmt
    added: tuple[ast.AugAssign, ...]


def _added_to(function: Function) -> list[str]:
    """Names to which a loop adds something that may be a string, and that begin as one."""
    kinds, found = Kinds(function), dict[str, None]()
    for node in function.nodes():
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
            starts = [each for each in _starts(function, node.target.id) if kinds.of(each.value) == "str"]
            if starts and outer_loops(function, node):
                found[node.target.id] = None
    return list(found)


def _starts(function: Function, name: str) -> list[ast.Assign]:
    around = [function.module.parents[node] for node in binders(function, name)]
    return [node for node in around if isinstance(node, ast.Assign) and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)]  # fmt: skip


def _text(function: Function, name: str) -> _Text:
    """Raises Decline where the result could be another, or be read too early."""
    module = function.module
    refuse_shared(function, name)
    around = [module.parents[node] for node in binders(function, name)]
    starts = _starts(function, name)
    added = [node for node in around if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)]
    if len(starts) != 1 or len(starts) + len(added) != len(around):
        raise Decline(Why.AMBIGUOUS, f"{module.at(around[-1])}: {name} is not only made once and added to")
    made = starts[0]
    _refuse_kinds(function, name, made, added)
    block = _block(module, made)
    after = block[block.index(made) + 1 :]
    loop = next((each for each in after if is_inside(module, added[0], each)), None)
    if not isinstance(loop, (ast.For, ast.AsyncFor, ast.While)):
        raise Decline(Why.NO_PATTERN, f"{module.at(added[0])}: no loop beside {module.at(made)} does all the adding")
    if not all(is_inside(module, node, loop) and outer_loops(function, node) for node in added):
        raise Decline(Why.NO_PATTERN, f"{module.at(added[-1])} adds to {name} outside the loop")
    _refuse_reads(function, name, loop, after)
    refuse_warned(module, made, loop, *added)
    return _Text(name, made, loop, tuple(added))


def _refuse_kinds(function: Function, name: str, made: ast.Assign, added: Sequence[ast.AugAssign]) -> None:
    kinds = Kinds(function)
    if not isinstance(made.value, ast.Constant):
        raise Decline(Why.NO_PATTERN, f"{function.module.at(made)}: {name} does not begin as a literal")
    for node in added:
        if kinds.of(node.value) != "str":
            part = function.module.segment(node.value)
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(node)}: `{part}` is not certainly a string")


def _refuse_reads(function: Function, name: str, loop: ast.stmt, after: Sequence[ast.stmt]) -> None:
    module, later = function.module, after[after.index(loop) + 1 :]
    for node in loads(function, name):
        if is_inside(module, node, loop):
            raise Decline(Why.NO_PATTERN, f"{module.at(node)} reads {name} in the loop")
        if not any(is_inside(module, node, each) for each in later):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)} may read {name} when the loop has failed")


def _block(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    around = module.parents[statement]
    return next(value for _, value in ast.iter_fields(around) if isinstance(value, list) and statement in value)


def _describe(function: Function, texts: list[_Text]) -> Change:
    edits = Edits(function.module)
    for text in texts:
        _turn(function, text, edits)
    names = " and ".join(text.name for text in texts)
    return Change(
        recipe=JoinStrings.name,
        title=title(f"Join the parts of {names} once in {short(function.name)}"),
        summary=f"Collects the parts of {names} in a list and joins them after the loop, instead of making a longer "
        "string for each part.",
        safety="The string and all its parts are certainly strings, they are joined in the order in which they were "
        "added, and nothing reads the string before the loop is over.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )


def _turn(function: Function, text: _Text, edits: Edits) -> None:
    module = function.module
    parts = free_name(function, f"{text.name}_parts")
    first = text.made.value
    empty = isinstance(first, ast.Constant) and first.value == ""
    edits.replace(text.made.targets[0], parts)
    edits.replace(first, "[]" if empty else f"[{module.segment(first)}]")
    for node in text.added:
        edits.rewrite(node, lambda part: cst.Expr(cst.Call(cst.parse_expression(f"{parts}.append"), [_argument(part)])))
    edits.after(text.loop, f"{text.name} = {quoted(module, '')}.join({parts})")


def _argument(node: cst.BaseSmallStatement) -> cst.Arg:
    return cst.Arg(cst.ensure_type(node, cst.AugAssign).value)
