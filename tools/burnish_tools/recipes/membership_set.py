"""Tests membership in a set where a loop searches a list again and again."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.membership import MEMBERSHIP_SET
from burnish_tools.recipes.source.chains import assigned_values
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.models import Models
from burnish_tools.recipes.source.querysets import Querysets
from burnish_tools.recipes.source.repo import Decline, Repository, type_of_function
from burnish_tools.recipes.source.wording import short

READERS = frozenset((
    "len", "sorted", "sum", "min", "max", "any", "all", "tuple", "list", "set", "frozenset", "enumerate",
    "reversed", "zip", "print",
))  # fmt: skip


class MembershipSet(BaseRecipe):
    """Search a set instead of a list.

    ## What it does
    A local list of strings or whole numbers that is searched with `in` inside a loop becomes a set. Where the list is
    needed as a list too (returned, indexed, counted), it stays, and a set is kept beside it.

    ## Why it is slow
    `in` compares with one element after another: the time grows with the list, and in a loop with its square.
    A set finds an element in one step.

    ## Example
    ```python
    known = []
    for code in codes.split():
        if code not in known:
            known.append(code)
    return known
    ```
    becomes
    ```python
    known = []
    known_set = set()
    for code in codes.split():
        if code not in known_set:
            known.append(code)
            known_set.add(code)
    return known
    ```

    ## Fix safety
    It acts only where every element and every value that is searched for is certainly a `str` or `int` (constants,
    `str(…)`, f-strings, columns of Django models): these are hashable and equal in a set exactly when they are equal
    in a list. The list must not be reachable under another name or changed in a way that the set would not see.

    ## Known problems
    For a handful of elements a list is as fast. The set takes memory beside the list. A model attribute that the code
    itself filled with something else than its column holds would go unnoticed.
    """

    name = "membership_set"
    kinds = frozenset(("cpu_hot",))
    risk = 1.2
    examples = MEMBERSHIP_SET

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        lists = [_uses(function, name) for name in _searched(function)]
        if not lists:
            raise Decline(Why.NO_PATTERN, f"{function.name} searches no local list in a loop")
        kinds = Kinds(function, Querysets(repository, repository.once(Models)))
        refusals: list[Decline] = []
        fit: list[Uses] = []
        for uses in lists:
            try:
                _refuse(function, uses, kinds)
                fit.append(uses)
            except Decline as refusal:
                refusals.append(refusal)
        if not fit:
            raise refusals[0]
        return _describe(function, fit)


@dataclass
class Uses:
    """Every use of one local list."""

    name: str
    made: ast.Assign | ast.AnnAssign
    value: ast.expr
    tests: list[ast.Compare] = field(default_factory=list)
    appends: list[ast.Call] = field(default_factory=list)
    others: list[ast.Name] = field(default_factory=list)


def _searched(function: Function) -> list[str]:
    """Local lists that are searched inside a loop, in the order of the text."""
    names: dict[str, None] = {}
    tests = [node for node in function.nodes() if isinstance(node, ast.Compare)]
    for node in sorted(tests, key=lambda node: (node.lineno, node.col_offset)):
        name = node.comparators[0]
        if _is_test(node) and isinstance(name, ast.Name) and outer_loops(function, node):
            values = assigned_values(function, name.id)
            if values and any(_is_list(value) for value in values):
                names[name.id] = None
    return list(names)


def _is_test(node: ast.Compare) -> bool:
    return len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn))


def _is_list(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "list" and len(node.args) <= 1 and not node.keywords
    return isinstance(node, (ast.List, ast.ListComp))


def _is_empty(node: ast.expr) -> bool:
    return (isinstance(node, ast.List) and not node.elts) or (isinstance(node, ast.Call) and not node.args)


def _uses(function: Function, name: str) -> Uses:
    values = assigned_values(function, name) or []
    made = function.module.parents[values[0]]
    assert isinstance(made, (ast.Assign, ast.AnnAssign))  # what assigned_values looks for
    uses = Uses(name, made, values[0])
    for node in function.nodes():
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            _sort_in(function, uses, node)
    return uses


def _sort_in(function: Function, uses: Uses, node: ast.Name) -> None:
    around = function.module.parents[node]
    call = function.module.parents.get(around)
    if isinstance(around, ast.Compare) and _is_test(around) and around.comparators[0] is node:
        uses.tests.append(around)
    elif isinstance(around, ast.Attribute) and around.attr == "append" and isinstance(call, ast.Call):
        uses.appends.append(call)
    else:
        uses.others.append(node)


def _refuse(function: Function, uses: Uses, kinds: Kinds) -> None:
    module = function.module
    values = assigned_values(function, uses.name) or []
    if len(values) > 1:
        raise Decline(Why.AMBIGUOUS, f"{module.at(values[-1])}: {uses.name} is assigned more than once")
    if isinstance(uses.made, ast.Assign) and len(uses.made.targets) != 1:
        raise Decline(Why.AMBIGUOUS, f"{module.at(uses.made)}: the list has two names")
    if any(isinstance(node, (ast.Global, ast.Nonlocal)) and uses.name in node.names for node in function.nodes()):
        raise Decline(Why.AMBIGUOUS, f"{module.at(uses.made)}: {uses.name} is no local of {function.name}")
    inner = next((node for node in function.nodes() if _captures(node, uses.name)), None)
    if inner is not None:
        raise Decline(Why.AMBIGUOUS, f"{module.at(inner)} uses {uses.name} at a time of its own")
    for node in uses.others:
        _refuse_other(function, uses, node)
    for call in uses.appends:
        if not isinstance(module.parents[call], ast.Expr) or len(call.args) != 1 or call.keywords:
            raise Decline(Why.NO_PATTERN, f"{module.at(call)} is no plain append")
    _refuse_kinds(function, uses, kinds)
    refuse_warned(module, uses.made, *uses.tests, *uses.appends)


def _captures(node: ast.AST, name: str) -> bool:
    """True for an inner function that uses the list: it may run at any time."""
    if not isinstance(node, (*type_of_function, ast.Lambda)):
        return False
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _refuse_other(function: Function, uses: Uses, node: ast.Name) -> None:
    """The list may be read in other ways; it may not be changed, or given to code that could keep or change it."""
    module = function.module
    around = module.parents[node]
    reads = (
        isinstance(around, (ast.Return, ast.For, ast.comprehension, ast.If, ast.UnaryOp, ast.Starred))
        or (isinstance(around, ast.Subscript) and isinstance(around.ctx, ast.Load) and around.value is node)
        or (isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id in READERS)
        or (isinstance(around, ast.Call) and isinstance(around.func, ast.Attribute) and around.func.attr == "join")
        or (isinstance(around, ast.Attribute) and around.attr in ("index", "count", "copy"))
    )  # fmt: skip
    afterwards = all(node.lineno > (test.end_lineno or 0) for test in uses.tests) and not outer_loops(function, node)
    changes = isinstance(around, (ast.Attribute, ast.AugAssign)) or isinstance(
        getattr(around, "ctx", None), (ast.Store, ast.Del)
    )
    if not reads and (changes or not afterwards):
        raise Decline(Why.AMBIGUOUS, f"{module.at(node)} may change {uses.name} or give it another name")


def _refuse_kinds(function: Function, uses: Uses, kinds: Kinds) -> None:
    empty = _is_empty(uses.value)
    inside = {kinds.of(call.args[0]) for call in uses.appends} | (set() if empty else {kinds.elements(uses.value)})
    if len(inside) != 1 or "" in inside:
        raise Decline(Why.UNHASHABLE, f"{function.module.at(uses.made)}: the elements of {uses.name} are not certainly "
                      "all strings or all whole numbers")  # fmt: skip
    for test in uses.tests:
        if not kinds.of(test.left):
            raise Decline(Why.UNHASHABLE, f"{function.module.at(test)}: `{function.module.segment(test.left)}` is not "
                          "certainly a string or whole number")  # fmt: skip


def _describe(function: Function, lists: list[Uses]) -> Change:
    edits = Edits(function.module)
    for uses in lists:
        if uses.others or isinstance(uses.made, ast.AnnAssign):
            _add_beside(function, uses, edits)
        else:
            _turn(function, uses, edits)
    names = " and ".join(uses.name for uses in lists)
    return Change(
        recipe=MembershipSet.name,
        title=title(f"Search {names} as a set in {short(function.name)}"),
        summary=f"Uses a set for the membership tests on {names}, so that each test takes one step "
        "and not one for each element.",
        safety="All elements and all values that are searched for are strings or whole numbers, so a set finds exactly "
        "what the list found. The order of the list, where it is used, is kept.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )


def _turn(function: Function, uses: Uses, edits: Edits) -> None:
    """Only searched and filled: the list itself becomes a set."""
    value = uses.value
    if isinstance(value, ast.Call):
        edits.replace(value.func, "set")
    elif isinstance(value, ast.List) and not value.elts:
        edits.replace(value, "set()")
    else:
        edits.braces(value)
    for call in uses.appends:
        edits.replace(call.func, f"{uses.name}.add")


def _add_beside(function: Function, uses: Uses, edits: Edits) -> None:
    """Also used as a list: a set with the same elements beside it."""
    beside = _free_name(function, uses.name + "_set")
    edits.after(uses.made, f"{beside} = set()" if _is_empty(uses.value) else f"{beside} = set({uses.name})")
    for call in uses.appends:
        if not isinstance(call.args[0], (ast.Name, ast.Constant, ast.Attribute)):
            raise Decline(Why.NO_PATTERN, f"{function.module.at(call)} would compute the element twice")
        edits.after(function.module.statement(call), f"{beside}.add({function.module.segment(call.args[0])})")
    for test in uses.tests:
        edits.replace(test.comparators[0], beside)


def _free_name(function: Function, wanted: str) -> str:
    taken = {node.id for node in ast.walk(function.node) if isinstance(node, ast.Name)} | set(function.parameters)
    while wanted in taken or wanted in function.module.top or wanted in function.module.imports:
        wanted += "_"
    return wanted
