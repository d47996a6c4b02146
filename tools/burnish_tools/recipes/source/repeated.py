"""Queries that a function repeats: where they stand, and whether their answer can be kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.why import Why
from burnish_tools.recipes.source.chains import Feed
from burnish_tools.recipes.source.functions import (
    Function,
    find,
    plain_name,
    refuse_locked,
    refuse_warned,
    resolve_call,
)
from burnish_tools.recipes.source.loops import (
    CLOCKS,
    PLAIN_METHODS,
    RANDOM,
    Effects,
    bound_names,
    written_attributes,
)
from burnish_tools.recipes.source.models import Models
from burnish_tools.recipes.source.querysets import Querysets
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.statements import main_table, tables

ONE_ANSWER = frozenset(("get", "first", "last", "earliest", "latest", "count", "exists", "aggregate"))
NUMBERS = frozenset(("count", "exists"))
PURE = frozenset((
    "Q", "F", "Value", "Lower", "Upper", "Count", "Sum", "Avg", "Min", "Max", "str", "int", "float", "bool",
    "len", "Decimal", "tuple", "frozenset", "date",
))  # fmt: skip
BUILTINS = frozenset((
    "str", "int", "float", "bool", "len", "repr", "print", "isinstance", "getattr", "hasattr", "Decimal",
    "round", "min", "max", "sum",
))  # fmt: skip
SIGNALS = ("post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed")
WAITS = frozenset(("sleep",))
GETTERS = re.compile(r"^(get|fetch|load|find|read)_(?=\w)")


@dataclass(frozen=True)
class Query:
    """A call that runs the query: written out, or of a helper that only returns its answer."""

    call: ast.Call
    feed: Feed
    method: str
    helper: Function | None = None

    @property
    def what(self) -> str:
        """What it asks for, in a word or two."""
        return self.helper.node.name if self.helper else self.feed.model.name


class Repeated:
    """The repeated query of one finding."""

    def __init__(self, finding: Finding, repository: Repository) -> None:
        self.finding = finding
        self.repository = repository
        self.function = find(repository, finding)
        self.module = self.function.module
        self.querysets = Querysets(repository, repository.once(Models))
        self.effects = Effects(repository, self.querysets, wary=True)
        self.tables = tables(finding.evidence.statement)

    def queries(self) -> list[Query]:
        """The calls that run the finding's statement, in the order of the text. Raises Decline where there is none."""
        table = main_table(self.finding.evidence.statement)
        found = [query for query in self._all() if query.feed.model.table == table and self._at_site(query)]
        if not found:
            raise Decline(Why.NO_PATTERN, f"{self.function.name} has no query for one row or number of {table or '?'}")
        site = self.finding.evidence.site
        found.sort(key=lambda query: (query.call.lineno, query.call.col_offset))
        if site is None or plain_name(site.function) != self.function.name:
            return found
        line = site.line + self.function.node.lineno - (self.finding.line or self.function.node.lineno)
        near = [query for query in found if query.call.lineno <= line <= (query.call.end_lineno or 0)]
        same = {ast.dump(query.call) for query in near}
        return [query for query in found if ast.dump(query.call) in same] or found

    def _all(self) -> Iterator[Query]:
        for node in self.function.nodes():
            if isinstance(node, ast.Call):
                query = self._query(self.function, node)
                helper = None if query else resolve_call(self.repository, self.function, node)
                if helper is not None:
                    query = self._helped(helper, node)
                if query is not None:
                    yield query

    def _query(self, function: Function, call: ast.Call) -> Query | None:
        try:
            if isinstance(call.func, ast.Attribute) and call.func.attr in ONE_ANSWER:
                return Query(call, self.querysets.feed(function, call.func.value), call.func.attr)
            shortcut = self.repository.dotted(function.module, call.func) == "django.shortcuts.get_object_or_404"
            model = self.querysets.models.of(function.module, call.args[0]) if shortcut and call.args else None
            return Query(call, Feed(function, call, model, ()), "get") if model else None
        except Decline:
            return None

    def _helped(self, helper: Function, call: ast.Call) -> Query | None:
        body = helper.node.body[1:] if ast.get_docstring(helper.node) is not None else helper.node.body
        last = body[-1] if body else None
        straight = all(
            isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)) for statement in body[:-1]
        )
        if not straight or not isinstance(last, ast.Return) or not isinstance(last.value, ast.Call):
            return None
        inner = self._query(helper, last.value)
        return Query(call, inner.feed, inner.method, helper) if inner else None

    def _at_site(self, query: Query) -> bool:
        site = self.finding.evidence.site
        runs_in = query.helper or self.function
        return site is None or plain_name(site.function) == runs_in.name

    # ── may its answer be kept? ──────────────────────────────────────────────────────────────────────────────────

    def refuse_unless_invariant(self, query: Query, loop: ast.For) -> None:
        """Raises Decline where the answer could differ from one round of the loop to the next."""
        body = [*loop.body, *loop.orelse]
        refuse_warned(self.module, query.call, loop)
        if query.helper:
            refuse_warned(query.helper.module, query.helper.node.body[-1])
        self._refuse_query(query, [loop.target, *body])
        if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for top in body for node in ast.walk(top)):
            raise Decline(Why.AMBIGUOUS, f"{self.module.at(loop)} yields, and who takes the rows may write in between")
        self._refuse_effects(body)
        for name in self._holders(query, body):
            self._refuse_changed(name, body)

    def refuse_unless_same(self, first: Query, name: str, between: Sequence[ast.stmt], second: Query) -> None:
        """Raises Decline where a second run of the query could give another answer than the first."""
        self._refuse_query(first, between)
        self._refuse_effects(between)
        for holder in {name, *self._holders(second, between)}:
            self._refuse_changed(holder, self.function.node.body)

    def _refuse_query(self, query: Query, around: Sequence[ast.AST]) -> None:
        refuse_locked(self.finding, self.repository)
        locked = query.feed.step("select_for_update")
        if locked:
            raise Decline(Why.LOOP_LOCKS, f"{locked.module.at(locked.node)} locks its row")
        nodes: list[ast.AST] = [query.call, *(step.node for step in query.feed.steps)]
        clock = next(self.effects.named_calls(self.function, nodes, CLOCKS), "")
        if clock:
            raise Decline(Why.READS_CLOCK, f"{clock} reads the clock for the query")
        chance = next(self.effects.named_calls(self.function, nodes, RANDOM), "")
        if chance or "order_by('?')" in "".join(ast.unparse(node) for node in nodes):
            raise Decline(Why.NOT_INVARIANT, f"{chance or self.module.at(query.call)} is random")
        self._refuse_arguments(query, around)

    def _refuse_arguments(self, query: Query, around: Sequence[ast.AST]) -> None:
        place = self.module.at(query.call)
        names = {node.id for node in ast.walk(query.call) if isinstance(node, ast.Name)}
        changed = names & (bound_names(around) | written_attributes(around) | _filled(around))
        if changed:
            raise Decline(Why.NOT_INVARIANT, f"{place}: `{min(changed)}` changes in the loop")
        objects = {node.value.id for node in ast.walk(query.call)
                   if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}  # fmt: skip
        touched = next((name for name in sorted(objects & names) if self._touched(name, around)), "")
        if touched:
            raise Decline(Why.NOT_INVARIANT, f"{place}: `{touched}` is handed to code that may change it")
        for call in (node for node in ast.walk(query.call) if isinstance(node, ast.Call)):
            plain = isinstance(call.func, ast.Attribute) or (isinstance(call.func, ast.Name) and call.func.id in PURE)
            if call is not query.call and not plain:
                raise Decline(Why.NOT_INVARIANT, f"{self.module.at(call)}: its result is not known to stay the same")

    def _refuse_effects(self, body: Sequence[ast.AST]) -> None:
        waits = next(self.effects.named_calls(self.function, body, WAITS), "")
        if waits:
            raise Decline(Why.LOAD_BEARING, f"{waits} waits, so the value may be meant to change")
        signals = any(next(self.repository.modules(signal), None) for signal in SIGNALS)
        for write in self.effects.writes(self.function, body):
            if not write.table or write.table in self.tables or signals:
                raise Decline(Why.LOOP_WRITES, f"{write.place} writes {write.table or 'to the database'}")

    # ── the object that it gave ──────────────────────────────────────────────────────────────────────────────────

    def _holders(self, query: Query, body: Iterable[ast.AST]) -> set[str]:
        """Names that hold the object. Raises Decline where it goes on to unknown code without a name."""
        if query.method in NUMBERS:
            return set()
        around = self.module.parents[query.call]
        if isinstance(around, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            return {
                node.id for node in ast.walk(around) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
        if isinstance(around, (ast.Attribute, ast.Subscript, ast.Compare, ast.If, ast.UnaryOp)):
            self._refuse_method(around)
            return set()
        raise Decline(Why.AMBIGUOUS, f"{self.module.at(query.call)}: the object goes on to code that may change it")

    def _refuse_method(self, node: ast.AST) -> None:
        above = self.module.parents[node]
        writes = isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del))
        if writes or (isinstance(above, ast.Call) and above.func is node):
            raise Decline(Why.LOAD_BEARING, f"{self.module.at(node)} may change the object that the query gave")

    def _refuse_changed(self, name: str, body: Sequence[ast.AST]) -> None:
        if name in written_attributes(body):
            raise Decline(Why.LOAD_BEARING, f"{self.function.name} changes `{name}`, the object that the query gave")
        if self._touched(name, body):
            raise Decline(Why.AMBIGUOUS, f"`{name}` is handed to code that may change it")

    def _touched(self, name: str, body: Iterable[ast.AST]) -> bool:
        """True where an object is given to a function, method or container that may change or keep it."""
        for node in (node for top in body for node in ast.walk(top)):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                around = self.module.parents[node]
                if isinstance(around, (ast.keyword, ast.Starred)):
                    around = self.module.parents[around]
                if isinstance(around, ast.Attribute):
                    call = self.module.parents[around]
                    if isinstance(call, ast.Call) and call.func is around and self._may_change(call, 0):
                        return True
                elif (
                    isinstance(around, ast.Call) and self._may_change(around, self._place(around, node))
                ) or isinstance(around, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Assign, ast.Return, ast.Yield)):
                    return True
        return False

    def _place(self, call: ast.Call, node: ast.AST) -> int:
        called = resolve_call(self.repository, self.function, call)
        given = call.args.index(node) if node in call.args else -1
        return given + 1 if called is not None and called.owner is not None and given >= 0 else given

    def _may_change(self, call: ast.Call, place: int) -> bool:
        if isinstance(call.func, ast.Name) and call.func.id in BUILTINS:
            return False
        if self.querysets.models.of(self.module, call.func) is not None:
            return False
        if isinstance(call.func, ast.Attribute) and self._on_queryset(call.func):
            return False
        called = resolve_call(self.repository, self.function, call) or self._method(call)
        if called is None or place < 0 or place >= len(called.parameters):
            return not (
                isinstance(call.func, ast.Attribute) and call.func.attr in PLAIN_METHODS - {"append", "add", "update"}
            )
        parameter = called.parameters[place]
        return parameter in written_attributes(called.node.body) or any(self.effects.writes(called, called.node.body))

    def _on_queryset(self, func: ast.Attribute) -> bool:
        try:
            self.querysets.feed(self.function, func.value)
        except Decline:
            return False
        return True

    def _method(self, call: ast.Call) -> Function | None:
        row = self.querysets.instance(self.function, call.func.value) if isinstance(call.func, ast.Attribute) else None
        method = row.model.method(call.func.attr) if row and isinstance(call.func, ast.Attribute) else None
        return Function(*method) if method else None

    def free_name(self, query: Query) -> str:
        """A name for the answer that the function does not use yet."""
        model = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", query.feed.model.name).lower()
        wanted = {"count": f"{model}_count", "exists": f"has_{model}"}.get(query.method, model)
        if query.helper:
            wanted = GETTERS.sub("", query.helper.node.name.lstrip("_"))
        taken = {node.id for node in ast.walk(self.function.node) if isinstance(node, ast.Name)}
        taken |= {*self.function.parameters, *self.module.top, *self.module.imports}
        while wanted in taken:
            wanted = f"{wanted}_once" if not wanted.endswith("_once") else f"{wanted}_"
        return wanted


def _filled(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Names of containers that are changed by a method: `ids.append(1)`."""
    changers = {"append", "extend", "insert", "add", "remove", "discard", "pop", "popitem", "update", "clear", "sort",
                "setdefault"}  # fmt: skip
    return frozenset(
        node.func.value.id
        for top in nodes for node in ast.walk(top)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
        and node.func.attr in changers
    )  # fmt: skip
