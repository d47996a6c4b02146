"""Takes from the front of a deque instead of a list, which moves all its elements each time."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

import libcst as cst

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.deque import DEQUE
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.guards import not_empty
from burnish_tools.recipes.source.imports import reach
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.names import (
    binders,
    is_builtin,
    is_inside,
    is_read,
    loads,
    method_call,
    only_value,
    refuse_shared,
)
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.rewrites import Rewrite, drop_arguments
from burnish_tools.recipes.source.wording import short

FRONT = ("pop(0)", "insert(0")


class Deque(BaseRecipe):
    """Keep a queue in a deque.

    ## What it does
    A local list from whose front a loop takes (`pop(0)`) or at whose front it puts (`insert(0, x)`) becomes a
    `collections.deque` with `popleft()` and `appendleft(x)`.

    ## Why it is slow
    A list moves all of its elements when the first one goes or comes: the time of the loop grows with the square of the
    queue's length. A deque takes one step at either end.

    ## Example
    ```python
    queue = [root]
    while queue:
        node = queue.pop(0)
        queue.extend(node.children)
    ```
    becomes
    ```python
    queue = deque([root])
    while queue:
        node = queue.popleft()
        queue.extend(node.children)
    ```

    ## Fix safety
    It acts only on a list that never leaves the function and with which nothing is done that a deque does otherwise:
    no slice, no index but the first and the last, no sorting, comparing, adding or printing, no change while a loop
    walks along it. Where an element is taken, a test that there is one must stand before: the two say another sentence
    in their IndexError.

    ## Known problems
    For a queue of a few dozen elements a list is as fast. A debugger shows another type.
    """

    name = "deque"
    kinds = frozenset(("cpu_hot",))
    risk = 1.2
    examples = DEQUE
    needles = FRONT

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        names = _queues(function) if any(needle in function.text for needle in FRONT) else []
        nothing = f"{function.name} takes nothing from the front of a local list in a loop"
        queues = fitting(names, lambda name: _Queue.read(function, name), nothing)
        return _describe(function, queues)


def _front_call(call: ast.Call | None) -> bool:
    """`….pop(0)` or `….insert(0, x)`"""
    if call is None or not isinstance(call.func, ast.Attribute) or call.keywords or not call.args:
        return False
    first = call.args[0]
    wanted = {"pop": 1, "insert": 2}.get(call.func.attr)
    return (
        wanted == len(call.args) and isinstance(first, ast.Constant) and first.value == 0 and first.value is not False
    )


def _queues(function: Function) -> list[str]:
    """Names from whose front something is taken, or at whose front something is put, in a loop."""
    found: dict[str, None] = {}
    for node in function.nodes():
        if isinstance(node, ast.Call) and _front_call(node) and outer_loops(function, node):
            receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
            if isinstance(receiver, ast.Name):
                found[receiver.id] = None
    return list(found)


@dataclass
class _Queue:
    """A local list that can be a deque, and what changes with it."""

    name: str
    made: ast.Assign | ast.AnnAssign
    value: ast.expr
    taken: list[ast.Call] = field(default_factory=list)
    put: list[ast.Call] = field(default_factory=list)
    shrinking: list[ast.AST] = field(default_factory=list)
    changes: list[ast.AST] = field(default_factory=list)

    @classmethod
    def read(cls, function: Function, name: str) -> _Queue:
        """Raises Decline where one of its uses is not known to be the same for a deque."""
        once = only_value(function, name)
        if once is None:
            place = function.module.at(binders(function, name)[-1]) if binders(function, name) else function.module.path
            raise Decline(Why.AMBIGUOUS, f"{place}: {name} is not a local that is assigned once")
        refuse_shared(function, name)
        queue = cls(name, *once)
        queue._refuse_value(function)
        uses = loads(function, name)
        for node in uses:
            queue._sort_in(function, node)
        for node in uses:
            queue._refuse_use(function, node)
        refuse_warned(function.module, queue.made, *queue.taken, *queue.put)
        return queue

    def _refuse_value(self, function: Function) -> None:
        module = function.module
        made = isinstance(self.value, ast.Call) and is_builtin(module, self.value.func, ("list",))
        plain = isinstance(self.value, ast.Call) and len(self.value.args) <= 1 and not self.value.keywords
        if not isinstance(self.value, (ast.List, ast.ListComp)) and not (made and plain):
            raise Decline(Why.AMBIGUOUS, f"{module.at(self.made)}: {self.name} is not certainly a list of its own")
        if isinstance(self.made, ast.AnnAssign) and not _list_annotation(self.made):
            raise Decline(Why.NO_PATTERN, f"{module.at(self.made)}: the annotation of {self.name} says no plain list")

    def _sort_in(self, function: Function, node: ast.Name) -> None:
        call = method_call(function.module, node)
        method = call.func.attr if call is not None and isinstance(call.func, ast.Attribute) else ""
        if call is None or method not in ("pop", "insert", "append", "extend", "clear"):
            return
        self.changes.append(call)
        if method in ("pop", "clear"):
            self.shrinking.append(call)
        if _front_call(call):
            (self.taken if method == "pop" else self.put).append(call)

    def _refuse_use(self, function: Function, node: ast.Name) -> None:
        module = function.module
        call, around = method_call(module, node), module.parents[node]
        if call is not None and call in self.changes:
            self._refuse_call(function, call)
        elif isinstance(around, ast.Subscript) and around.value is node:
            if not isinstance(around.ctx, ast.Load) or _index(around.slice) not in (0, -1):
                raise Decline(Why.AMBIGUOUS, f"{module.at(node)} takes {self.name} to pieces in the middle")
            self._refuse_unguarded(function, around)
        elif not is_read(module, node):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)} hands {self.name} on, or needs a list")
        else:
            self._refuse_walk(function, node)

    def _refuse_call(self, function: Function, call: ast.Call) -> None:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        plain = len(call.args) == {"append": 1, "extend": 1, "clear": 0}.get(method, len(call.args))
        if method == "pop":
            plain = not call.args or _front_call(call)
            self._refuse_unguarded(function, call)
        if method == "insert":
            plain = _front_call(call)
        if call.keywords or not plain or any(isinstance(each, ast.Starred) for each in call.args):
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(call)}: a deque has no such {method}()")

    def _refuse_unguarded(self, function: Function, node: ast.expr) -> None:
        if not not_empty(function, node, self.name, self.shrinking):
            raise Decline(
                Why.AMBIGUOUS, f"{function.module.at(node)}: {self.name} may be empty, and a deque says so otherwise"
            )

    def _refuse_walk(self, function: Function, node: ast.Name) -> None:
        """A list may change while a loop walks along it, a deque may not."""
        module = function.module
        for loop in module.above(node):
            iterables = [each.iter for each in getattr(loop, "generators", ())]
            iterables += [loop.iter] if isinstance(loop, (ast.For, ast.AsyncFor)) else []
            walked = any(is_inside(module, node, each) for each in iterables)
            if walked and any(is_inside(module, each, loop) for each in self.changes):
                raise Decline(Why.AMBIGUOUS, f"{module.at(loop)} walks along {self.name} while it changes")


def _index(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _list_annotation(made: ast.AnnAssign) -> bool:
    outer = made.annotation.value if isinstance(made.annotation, ast.Subscript) else made.annotation
    return isinstance(outer, ast.Name) and outer.id == "list"


def _describe(function: Function, queues: list[_Queue]) -> Change:
    edits = Edits(function.module)
    kind = reach(edits, "collections", "deque")
    for queue in queues:
        _turn(function, queue, edits, kind)
    names = " and ".join(queue.name for queue in queues)
    return Change(
        recipe=Deque.name,
        title=title(f"Keep {names} in a deque in {short(function.name)}"),
        summary=f"Makes {names} a deque, so that an element comes or goes at its front in one step and the others stay "
        "where they are.",
        safety="The list never leaves the function, all that is done with it a deque does alike and in the same order, "
        "and an element is taken only after a test that there is one.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )


def _turn(function: Function, queue: _Queue, edits: Edits, kind: str) -> None:
    value = queue.value
    if isinstance(value, ast.Call):
        edits.replace(value.func, kind)
    elif isinstance(value, ast.List) and not value.elts:
        edits.replace(value, f"{kind}()")
    else:
        edits.change(value, _wrapped(kind))
    if isinstance(queue.made, ast.AnnAssign):
        outer = queue.made.annotation
        edits.replace(outer.value if isinstance(outer, ast.Subscript) else outer, kind)
    for call, method in [(call, "popleft") for call in queue.taken] + [(call, "appendleft") for call in queue.put]:
        assert isinstance(call.func, ast.Attribute)  # what _front_call looks for
        edits.change(call.func, _renamed(method))
        edits.change(call, drop_arguments([0]))


def _wrapped(kind: str) -> Rewrite:
    """`[a]` → `deque([a])`, laid out as it was."""
    return lambda node: cst.Call(func=cst.parse_expression(kind), args=[cst.Arg(node)])


def _renamed(method: str) -> Rewrite:
    return lambda node: cst.ensure_type(node, cst.Attribute).with_changes(attr=cst.Name(method))
