"""Computes once what a loop computes in each round from things that do not change."""

from __future__ import annotations

import ast
from collections.abc import Callable

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.hoist_call import HOIST_CALL
from burnish_tools.recipes.source.constants import constant_result, is_fixed
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.hoist import place_before, refuse_conditional, refuse_sometimes
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.names import (
    binders,
    changed_in,
    free_name,
    is_builtin,
    is_inside,
    only_value,
    position,
    refuse_aliased,
    refuse_shared,
)
from burnish_tools.recipes.source.purity import Purity
from burnish_tools.recipes.source.repo import Decline, Module, Repository
from burnish_tools.recipes.source.wording import short

Plan = Callable[[Edits], None]
DISPLAYS = (ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Dict, ast.DictComp, ast.Tuple)
SIZED = frozenset(("list", "dict", "set", "tuple", "frozenset", "sorted"))


CHEAP = frozenset((
    "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "math.cos", "math.log", "math.radians",
    "math.sin", "math.sqrt",
))  # fmt: skip
"""Calls with literals that, like `len`, cost hardly more than any other step of a loop: alone they are no change that
anybody should have to review."""


class HoistCall(BaseRecipe):
    """Call once what gives the same each time.

    ## What it does
    Three kinds of calls in a loop are made once: functions of the standard library with literals (`Decimal("0.19")`,
    `frozenset((1, 2))`, `datetime.strptime("2024-01-01", "%Y-%m-%d")`), `len()` of a local collection that the loop
    does not change, and functions of this repository that only compute, with strings and numbers that stay the same.

    ## Why it is slow
    Each round computes what the first one has computed.

    ## Example
    ```python
    for line in lines:
        line.total = line.net * tax_factor("DE", 19)
    ```
    becomes
    ```python
    tax_factor_once = None
    for line in lines:
        if tax_factor_once is None:
            tax_factor_once = tax_factor("DE", 19)
        line.total = line.net * tax_factor_once
    ```

    ## Fix safety
    Calls with literals are made while the recipe looks at them: they cannot fail, and only results that nobody can
    change are taken. A function of the repository stays where it is and is called at its first use: a loop without
    rows calls it never, and an error is raised where it was raised before. It has to be pure by analysis: no writes, no
    globals but literal constants, no calls but to what is pure too, and strings, numbers or None as its result.
    Nothing outlives the call of the function around.

    ## Known problems
    A `len()` or a small constant costs little, so the benchmark may refuse the edit. Where the result is None the
    function is called again, because None is also the mark for "not called yet". Code that replaces a function at run
    time would be passed by.
    """

    name = "hoist_call"
    kinds = frozenset(("cpu_hot",))
    risk = 1.3
    examples = HOIST_CALL
    needles = ("for ", "while ")

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        hoist = _Hoist(function, repository)
        nothing = f"{function.name} has no call in a loop that is known to give the same each time"
        plans = fitting(hoist.candidates(), hoist.plan, nothing)
        if not hoist.dear:
            codes = ", ".join(hoist.codes)
            raise Decline(Why.NO_PATTERN, f"{codes} costs hardly more than reading a name")
        edits = Edits(function.module)
        for plan in plans:
            plan(edits)
        what = ", ".join(f"`{code}`" for code in hoist.codes)
        return Change(
            recipe=self.name,
            title=title(f"Compute {', '.join(hoist.codes)} once in {short(function.name)}"),
            summary=f"Keeps the result of {what} for the rest of the loop instead of computing it in each round.",
            safety="What is called only computes, from values that the loop does not change, and gives something that "
            "nobody can change; where it could fail it is still called at its first use.",
            edits=file_edits([edits]),
            functions=(function.name,),
        )


class _Hoist:
    """The calls of one function that are made once, and the names that keep their results."""

    def __init__(self, function: Function, repository: Repository) -> None:
        self.function = function
        self.module: Module = function.module
        self.purity = Purity(repository)
        self.kinds = Kinds(function)
        self.kept: dict[tuple[str, ast.stmt], str] = {}
        self.codes: dict[str, None] = {}
        self.dear = False
        """One of the calls is worth a change."""
        self.guarded: dict[str, list[ast.stmt]] = {}

    def candidates(self) -> list[ast.Call]:
        """The calls in a loop that may be of one of the three kinds, in the order of the text."""
        calls = [node for node in self.function.nodes() if isinstance(node, ast.Call)]
        looped = [call for call in calls if outer_loops(self.function, call)]
        kinds = (self._is_length, self._constant, self._is_ours)
        return sorted((call for call in looped if any(is_kind(call) for is_kind in kinds)), key=position)

    def _is_length(self, call: ast.Call) -> bool:
        one = len(call.args) == 1 and isinstance(call.args[0], ast.Name) and not call.keywords
        return one and bool(is_builtin(self.module, call.func, ("len",)))

    def _constant(self, call: ast.Call) -> bool:
        try:
            return constant_result(self.module, call) is not None
        except ValueError:
            return True

    def _is_ours(self, call: ast.Call) -> bool:
        """A function of the repository that is given nothing that the innermost loop binds, and no calls."""
        given = [*call.args, *(each.value for each in call.keywords)]
        names = {node.id for each in given for node in ast.walk(each) if isinstance(node, ast.Name)}
        loop = outer_loops(self.function, call)[0]
        if not all(isinstance(each, (ast.Name, ast.Constant)) for each in given) or self._binds(loop, names):
            return False
        return self.purity.called(self.module, call) is not None

    def _binds(self, loop: ast.AST, names: set[str]) -> bool:
        return any(is_inside(self.module, node, loop) for name in names for node in binders(self.function, name))

    def plan(self, call: ast.Call) -> Plan:
        """The edit for one call. Raises Decline."""
        refuse_warned(self.module, call)
        if self._is_length(call):
            return self._length(call)
        return self._literal(call) if self._constant(call) else self._pure(call)

    def _length(self, call: ast.Call) -> Plan:
        given = call.args[0]
        assert isinstance(given, ast.Name)  # what _is_length looks for
        once = only_value(self.function, given.id)
        sized = once is not None and (
            isinstance(once[1], DISPLAYS)
            or (isinstance(once[1], ast.Call) and bool(is_builtin(self.module, once[1].func, SIZED)))
            or self.kinds.of(given) == "str"
        )
        if not sized:
            raise Decline(Why.AMBIGUOUS, f"{self.module.at(call)}: {given.id} is not certainly a collection of its own")
        refuse_shared(self.function, given.id)
        refuse_aliased(self.function, given.id)
        loop = place_before(self.function, call, lambda loop: changed_in(self.function, given.id, loop))
        return self._before(call, loop, f"len_{given.id}")

    def _literal(self, call: ast.Call) -> Plan:
        try:
            known = constant_result(self.module, call)
        except ValueError as error:
            raise Decline(Why.NO_PATTERN, f"{self.module.at(call)}: {error}") from error
        assert known is not None  # what _constant looks for
        if not is_fixed(known[1]):
            raise Decline(Why.AMBIGUOUS, f"{self.module.at(call)}: what {known[0]} gives could be changed")
        loop = place_before(self.function, call, lambda _: False)
        self.dear = self.dear or known[0] not in CHEAP
        return self._before(call, loop, f"fixed_{known[0].rpartition('.')[2].lower()}")

    def _before(self, call: ast.Call, loop: ast.stmt, wanted: str) -> Plan:
        refuse_sometimes(self.function, call, loop)
        code, new, first = self._keep(call, loop, wanted)

        def plan(edits: Edits) -> None:
            if first:
                edits.before(loop, f"{new} = {code}")
            edits.replace(call, new)

        return plan

    def _keep(self, call: ast.Call, loop: ast.stmt, wanted: str) -> tuple[str, str, bool]:
        """What is called as it is written, the name that keeps it, and whether the name is new."""
        code = self.module.segment(call)
        first = (code, loop) not in self.kept
        if "\n" in code:
            raise Decline(Why.NO_PATTERN, f"{self.module.at(call)} is written over several lines")
        self.codes[code] = None
        name = self.kept.setdefault((code, loop), free_name(self.function, wanted, self.kept.values()))
        return code, name, first

    def _pure(self, call: ast.Call) -> Plan:
        self.dear = True
        inner = self.purity.called(self.module, call)
        assert inner is not None  # what _is_ours looks for
        given = [*call.args, *(each.value for each in call.keywords)]
        for each in given:
            if isinstance(each, ast.Name):
                refuse_shared(self.function, each.id)
            if not self.kinds.of(each):
                what = self.module.segment(each)
                raise Decline(
                    Why.AMBIGUOUS, f"{self.module.at(call)}: `{what}` is not certainly a string or whole number"
                )
        self.purity.refuse_impure(inner)
        self.purity.refuse_changeable(inner)
        names = {each.id for each in given if isinstance(each, ast.Name)}
        loop = place_before(self.function, call, lambda loop: self._binds(loop, names))
        statement = self.module.statement(call)
        if not isinstance(loop, (ast.For, ast.While)) or statement is loop:
            raise Decline(Why.NO_PATTERN, f"{self.module.at(call)}: there is no room before it in the loop")
        refuse_conditional(self.module, call, statement)
        self._refuse_order(call, statement)
        self._refuse_kept(call, statement)
        code, new, first = self._keep(call, loop, f"{inner.node.name.strip('_')}_once")
        there = any(self._is_before(each, statement) for each in self.guarded.get(new, ()))
        self.guarded.setdefault(new, []).append(statement)

        def plan(edits: Edits) -> None:
            if first:
                edits.before(loop, f"{new} = None")
            if not there:
                edits.before(statement, f"if {new} is None:\n    {new} = {code}")
            edits.replace(call, new)

        return plan

    def _refuse_kept(self, call: ast.Call, statement: ast.stmt) -> None:
        guard = self.module.parents[statement]
        names = {ast.unparse(target) for target in getattr(statement, "targets", ())}
        if isinstance(guard, ast.If) and any(ast.unparse(guard.test) == f"{name} is None" for name in names):
            raise Decline(Why.ALREADY_DONE, f"{self.module.at(guard)} keeps the first result")

    def _is_before(self, earlier: ast.stmt, later: ast.stmt) -> bool:
        """True where a statement has begun, in the same round, whenever another one begins."""
        around = [later, *self.module.above(later)]
        beside = self.module.parents[earlier]
        block = next(value for _, value in ast.iter_fields(beside) if isinstance(value, list) and earlier in value)
        return any(each in block and block.index(each) >= block.index(earlier) for each in around)

    def _refuse_order(self, call: ast.Call, statement: ast.stmt) -> None:
        """Raises Decline where something else of the statement may run, or fail, before the call."""
        around = {call, *self.module.above(call)}
        targets = {each for target in getattr(statement, "targets", ()) for each in ast.walk(target)}
        plain = (ast.Name, ast.Constant, ast.Attribute, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop)
        for node in ast.walk(statement):
            if node in around or node in targets or position(node) >= position(call) or isinstance(node, plain):
                continue
            if hasattr(node, "lineno"):
                raise Decline(Why.AMBIGUOUS, f"{self.module.at(call)}: something of the statement runs before it")
