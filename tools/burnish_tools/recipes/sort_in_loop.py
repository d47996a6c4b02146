"""Sorts once what a loop sorts in each round, and looks for the least element instead of sorting for it."""

from __future__ import annotations

import ast
from collections.abc import Callable

import libcst as cst

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.sort_in_loop import SORT_IN_LOOP
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.guards import not_empty
from burnish_tools.recipes.source.hoist import place_before, refuse_sometimes
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.names import (
    changed_in,
    free_name,
    is_builtin,
    is_inside,
    is_read,
    loads,
    method_call,
    only_value,
    position,
    refuse_shared,
)
from burnish_tools.recipes.source.repo import Decline, Module, Repository
from burnish_tools.recipes.source.rewrites import Rewrite, drop_arguments
from burnish_tools.recipes.source.wording import short

SHRINK = frozenset(("pop", "popleft", "remove", "discard", "clear"))
Plan = Callable[[Edits], None]
Kept = dict[tuple[str, ast.stmt], str]
"""The names of sorted lists by what is written and the loop before which it stands."""


class SortInLoop(BaseRecipe):
    """Sort once, or not at all.

    ## What it does
    `sorted(xs)` and `xs.sort()` in a loop that does not change `xs` move before the loop. `sorted(xs)[0]` becomes
    `min(xs)`, and `sorted(xs)[-1]` becomes `max(xs)`; with `reverse=True` the other way round.

    ## Why it is slow
    Sorting takes n·log n comparisons in each round, for the same result. The least element takes n.

    ## Example
    ```python
    for row in rows:
        for code in sorted(codes):
            row.check(code)
    ```
    becomes
    ```python
    sorted_codes = sorted(codes)
    for row in rows:
        for code in sorted_codes:
            row.check(code)
    ```

    ## Fix safety
    It acts only where all elements of a local list are certainly strings, or all whole numbers: these can always be
    compared, so that sorting cannot fail, and no NaN is among them, for which `min` and `sorted` disagree. Equal ones
    cannot be told apart, so the last of a sorted list is what `max` finds; with a `key` they can, and then
    `sorted(…)[-1]` is the last of the greatest and `max` the first: declined. A test that there is an element must
    stand before, because an empty list raises an IndexError here and a ValueError there.

    ## Known problems
    The sorted list lives as long as the loop. Where the loop runs once it saves nothing.
    """

    name = "sort_in_loop"
    kinds = frozenset(("cpu_hot",))
    risk = 1.1
    examples = SORT_IN_LOOP
    needles = ("sorted(", ".sort(")

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        sorts = _sorts(function) if any(needle in function.text for needle in self.needles) else []
        nothing = f"{function.name} sorts nothing in a loop"
        kept: Kept = {}
        plans = fitting(sorts, lambda call: _plan(function, call, kept), nothing)
        edits = Edits(function.module)
        for plan in plans:
            plan(edits)
        return Change(
            recipe=self.name,
            title=title(f"Sort once in {short(function.name)}"),
            summary="Sorts before the loop what does not change in it, and takes the least or greatest element without "
            "sorting.",
            safety="All that is sorted are strings or whole numbers in a list of the function's own, which the loop "
            "does not change, so that each round got the same result; an element is taken only where there is one.",
            edits=file_edits([edits]),
            functions=(function.name,),
        )


def _sorts(function: Function) -> list[ast.Call]:
    """The calls that sort in a loop, or for the first or last element."""
    found = []
    for node in function.nodes():
        if isinstance(node, ast.Call) and (_sorted_name(function.module, node) or _sort_name(function.module, node)):
            around = function.module.parents[node]
            if outer_loops(function, node) or (isinstance(around, ast.Subscript) and _end(around) is not None):
                found.append(node)
    return sorted(found, key=position)


def _sorted_name(module: Module, call: ast.Call) -> str:
    """`xs` of `sorted(xs, …)`"""
    plain = is_builtin(module, call.func, ("sorted",)) and len(call.args) == 1
    return call.args[0].id if plain and isinstance(call.args[0], ast.Name) else ""


def _sort_name(module: Module, call: ast.Call) -> str:
    """`xs` of the statement `xs.sort(…)`"""
    plain = isinstance(call.func, ast.Attribute) and call.func.attr == "sort" and not call.args
    receiver = call.func.value if plain and isinstance(call.func, ast.Attribute) else None
    return receiver.id if isinstance(receiver, ast.Name) and isinstance(module.parents[call], ast.Expr) else ""


def _plan(function: Function, call: ast.Call, kept: Kept) -> Plan:
    """The edit for one call. Raises Decline."""
    module = function.module
    name = _sorted_name(module, call) or _sort_name(module, call)
    _refuse_elements(function, call, name)
    refuse_warned(module, call)
    around = module.parents[call]
    if _sort_name(module, call):
        return _in_place(function, call, name)
    if isinstance(around, ast.Subscript) and around.value is call and _end(around) is not None:
        return _least(function, call, around, name)
    return _before(function, call, name, kept)


def _refuse_elements(function: Function, call: ast.Call, name: str) -> None:
    """Raises Decline unless a local of known elements is sorted by nothing that could run code of others."""
    module = function.module
    if only_value(function, name) is None:
        raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: {name} is not a local that is assigned once")
    refuse_shared(function, name)
    kind = Kinds(function).elements(ast.Name(name, ast.Load()))
    if not kind:
        raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: the elements of {name} are not certainly all strings or all "
                      "whole numbers")  # fmt: skip
    for keyword in call.keywords:
        plain = keyword.arg == "reverse" and isinstance(keyword.value, ast.Constant)
        length = keyword.arg == "key" and kind == "str" and is_builtin(module, keyword.value, ("len",))
        if not plain and not length:
            raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: what it is sorted by is not known to stay the same")


def _end(node: ast.Subscript) -> int | None:
    """0 for `[0]`, -1 for `[-1]`."""
    if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice):
        return None
    text = ast.unparse(node.slice)
    return int(text) if text in ("0", "-1") else None


def _least(function: Function, call: ast.Call, around: ast.Subscript, name: str) -> Plan:
    module = function.module
    keyed = any(keyword.arg == "key" for keyword in call.keywords)
    if keyed and _end(around) == -1:
        raise Decline(
            Why.AMBIGUOUS, f"{module.at(call)}: of equal ones it takes the last, and max() or min() the first"
        )
    shrinking = [each for node in loads(function, name) if (each := method_call(module, node)) is not None
                 and isinstance(each.func, ast.Attribute) and each.func.attr in SHRINK]  # fmt: skip
    if not not_empty(function, call, name, shrinking):
        raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: {name} may be empty, which raises another error then")
    reverse = any(_is_true(keyword) for keyword in call.keywords)
    wanted = "max" if reverse != (_end(around) == -1) else "min"
    if wanted in module.bindings or "*" in module.bindings:
        raise Decline(Why.AMBIGUOUS, f"{module.path} uses the name {wanted} for something else")
    return lambda edits: edits.change(around, _taken(wanted, call))


def _is_true(keyword: ast.keyword) -> bool:
    return keyword.arg == "reverse" and isinstance(keyword.value, ast.Constant) and bool(keyword.value.value)


def _taken(wanted: str, call: ast.Call) -> Rewrite:
    dropped = [place for place, keyword in enumerate(call.keywords, start=1) if keyword.arg == "reverse"]

    def rewrite(node: cst.BaseExpression) -> cst.BaseExpression:
        outer = cst.ensure_type(node, cst.Subscript)
        inner = cst.ensure_type(drop_arguments(dropped)(outer.value), cst.Call)
        return inner.with_changes(func=cst.Name(wanted), lpar=outer.lpar, rpar=outer.rpar)

    return rewrite


def _before(function: Function, call: ast.Call, name: str, kept: Kept) -> Plan:
    module = function.module
    if not is_read(module, call):
        raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: the sorted list may be changed or kept")
    loop = place_before(function, call, lambda loop: changed_in(function, name, loop, call))
    refuse_sometimes(function, call, loop)
    code = module.segment(call)
    first = (code, loop) not in kept
    new = kept.setdefault((code, loop), free_name(function, f"sorted_{name}", kept.values()))

    def plan(edits: Edits) -> None:
        if first:
            edits.before(loop, f"{new} = {code}")
        edits.replace(call, new)

    return plan


def _in_place(function: Function, call: ast.Call, name: str) -> Plan:
    """`xs.sort()` as the first statement of a loop, after which nobody looks at `xs`."""
    module = function.module
    statement = module.statement(call)
    loop = module.parents[statement]
    if not isinstance(loop, ast.For) or loop.body[0] is not statement or len(loop.body) < 2:
        raise Decline(Why.NO_PATTERN, f"{module.at(call)} does not stand first in a loop")
    if changed_in(function, name, loop, call):
        raise Decline(Why.NOT_INVARIANT, f"{module.at(call)}: the loop changes {name}")
    once = only_value(function, name)
    around = outer_loops(function, loop)
    made_inside = once is not None and (not around or is_inside(module, once[0], around[0]))
    later = [node for node in loads(function, name) if not is_inside(module, node, loop)
             and position(node) > position(loop)]  # fmt: skip
    if later or not made_inside or any(is_inside(module, node, loop.iter) for node in loads(function, name)):
        raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: {name} is used outside the loop, which may have no rows")

    def plan(edits: Edits) -> None:
        edits.before(loop, f"{module.segment(statement)}  {edits.trailing(statement)}".rstrip())
        edits.remove(statement, comment_kept=True)

    return plan
