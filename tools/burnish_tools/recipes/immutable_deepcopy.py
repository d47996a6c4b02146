"""Leaves out the deep copy of something that cannot change."""

from __future__ import annotations

import ast

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.immutable_deepcopy import IMMUTABLE_DEEPCOPY
from burnish_tools.recipes.source.constants import copies_to_itself
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.imports import drop_unused
from burnish_tools.recipes.source.names import known, position, refuse_shared
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.rewrites import only_argument
from burnish_tools.recipes.source.wording import short

COPIES = frozenset(("copy.deepcopy", "copy.copy"))


class ImmutableDeepcopy(BaseRecipe):
    """Use an unchangeable value as it is instead of a copy.

    ## What it does
    `copy.deepcopy(x)` (and `copy.copy(x)`) becomes `x` where `x` is certainly a string, a number, None or a tuple of
    such. The import of `copy` goes where nothing else needs it.

    ## Why it is slow
    `deepcopy` looks at each part of what it copies in Python code and keeps a table of them, only to give back the very
    object that it got.

    ## Example
    ```python
    LIMITS = ("daily", 100), ("weekly", 500)
    …
    limits = copy.deepcopy(LIMITS)
    ```
    becomes
    ```python
    limits = LIMITS
    ```

    ## Fix safety
    It acts only on literals, on names that are bound once and to such, and on what is certainly a string or a whole
    number: for these `deepcopy` returns its argument itself, so that even `is` says the same. A frozenset is left
    alone, because its copy may be walked along in another order.

    ## Known problems
    A constant that another module replaces at run time by something that can change would go unnoticed.
    """

    name = "immutable_deepcopy"
    kinds = frozenset(("cpu_hot",))
    risk = 1.0
    examples = IMMUTABLE_DEEPCOPY
    needles = ("copy",)

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        calls = fitting(_copies(function), lambda call: _judged(function, call), f"{function.name} calls no deepcopy()")
        return _describe(function, calls)


def _copies(function: Function) -> list[ast.Call]:
    found = [
        node for node in function.nodes() if isinstance(node, ast.Call) and known(function.module, node.func) in COPIES
    ]
    return sorted(found, key=position)


def _judged(function: Function, call: ast.Call) -> ast.Call:
    """The call. Raises Decline where the copy may be needed."""
    place = function.module.at(call)
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        raise Decline(Why.NO_PATTERN, f"{place} is no plain copy of one thing")
    given = call.args[0]
    if isinstance(given, ast.Name):
        refuse_shared(function, given.id)
    if not copies_to_itself(function, given):
        what = function.module.segment(given)
        raise Decline(Why.AMBIGUOUS, f"{place}: `{what}` is not certainly made of strings, numbers and tuples only")
    if isinstance(function.module.parents[call], ast.Expr):
        raise Decline(Why.NO_PATTERN, f"{place}: nothing uses the copy")
    refuse_warned(function.module, call)
    return call


def _describe(function: Function, calls: list[ast.Call]) -> Change:
    edits = Edits(function.module)
    for call in calls:
        edits.change(call, only_argument)
    if len(calls) == 1:
        drop_unused(edits, calls[0].func)
    what = function.module.segment(calls[0].args[0])
    return Change(
        recipe=ImmutableDeepcopy.name,
        title=title(f"Leave out the copy of unchangeable values in {short(function.name)}"),
        summary=f"Uses `{what}` as it is: a copy of it is the same object." if len(what) < 60 else
        "Uses values that cannot change as they are: a copy of them is the same object.",
        safety="All that was copied is made of strings, numbers and tuples, for which the functions of `copy` return "
        "their argument itself.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )  # fmt: skip
