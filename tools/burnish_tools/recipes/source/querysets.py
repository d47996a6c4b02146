"""The way back from a loop to the query that feeds it: through names, parameters, helpers and pages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from burnish.why import Why
from burnish_tools.recipes.source.chains import (
    CHAIN,
    ONE_ROW,
    STOP,
    Feed,
    Instance,
    Step,
    assigned_values,
    loop_over,
    peel,
    returned_values,
    unwrap,
)
from burnish_tools.recipes.source.functions import Function, argument, callers, function_of, resolve_call
from burnish_tools.recipes.source.models import Model, Models
from burnish_tools.recipes.source.repo import Decline, Module, Repository, type_of_function

MAX_STEPS = 6


class Querysets:
    """Finds querysets by following names, parameters and helper functions. Every method may raise Decline."""

    def __init__(self, repository: Repository, models: Models) -> None:
        self.repository = repository
        self.models = models

    def feed(self, function: Function, node: ast.expr, depth: int = MAX_STEPS) -> Feed:
        """The query that an iterable comes from."""
        node, _ = unwrap(node)
        if depth == 0:
            raise self._unknown(function, node)
        page = self._paged(function, node)
        if page is not None:
            return self.feed(function, page, depth - 1)
        root, steps = peel(function.module, node)
        if isinstance(root, ast.Name) and root.id not in function.module.top:
            return self._more(self._named(function, root, depth), steps)
        start = self._manager(function, root, depth)
        if start is not None:
            return self._start(function, root, steps, *start)
        if steps and isinstance(root, (ast.Name, ast.Attribute)):
            return self._helped(function, steps[0].node, steps[1:], depth)
        if isinstance(root, ast.Call):
            return self._helped(function, root, steps, depth)
        raise self._unknown(function, node)

    def instance(self, function: Function, node: ast.expr, depth: int = MAX_STEPS) -> Instance | None:
        """The model of an expression that stands for one row, where the text shows it."""
        if depth == 0:
            return None
        if isinstance(node, ast.Attribute):
            base = self.instance(function, node.value, depth - 1)
            field = base.model.fields.get(node.attr) if base else None
            return replace(base, model=field.target) if base and field and field.forward and field.target else None
        if isinstance(node, ast.Call):
            return self._fetched(function, node, depth)
        return self._variable(function, node, depth) if isinstance(node, ast.Name) else None

    # ── where a chain starts ─────────────────────────────────────────────────────────────────────────────────────

    def _manager(self, function: Function, root: ast.expr, depth: int) -> tuple[Model, str, bool, str] | None:
        """(model, relation, per row, manager's name) of `Model.objects` or `row.lines`."""
        if not isinstance(root, ast.Attribute):
            return None
        model = self.models.of(function.module, root.value)
        if model is not None:
            usual = root.attr in ("objects", "_default_manager", "_base_manager")
            return (model, "", False, root.attr) if usual or root.attr in model.managers else None
        row = self.instance(function, root.value, depth)
        relation = row.model.many.get(root.attr) if row else None
        return (relation.target, root.attr, row.per_row, "objects") if row and relation else None

    def _start(self, function: Function, root: ast.expr, steps: list[Step],
               model: Model, relation: str, per_row: bool, manager: str) -> Feed:  # fmt: skip
        anchor = self._before_stop(root, steps)
        hidden = [inner for step in steps if step.name not in (*CHAIN, "[]")
                  for inner in self._custom(model, manager, step)]  # fmt: skip
        default = self._default_queryset(model, manager) if not relation else []
        return Feed(function, anchor, model, (*default, *hidden, *steps), relation, per_row)

    def _more(self, feed: Feed, steps: list[Step]) -> Feed:
        hidden = [inner for step in steps if step.name not in (*CHAIN, "[]")
                  for inner in self._custom(feed.model, "objects", step)]  # fmt: skip
        return replace(feed, steps=(*feed.steps, *hidden, *steps))

    def _custom(self, model: Model, manager: str, step: Step) -> list[Step]:
        """The steps inside a queryset method that the repository defines."""
        for module, node in self._manager_classes(model, manager):
            found = [each for each in node.body if isinstance(each, type_of_function) and each.name == step.name]
            if found:
                return self._inner_steps(module, function_of(module, found[0]), step)
        raise Decline(Why.QUERYSET_NOT_FOUND, f"{step.module.at(step.node)}: .{step.name}() is not a queryset method")

    def _default_queryset(self, model: Model, manager: str) -> list[Step]:
        for module, node in self._manager_classes(model, manager):
            for each in node.body:
                if isinstance(each, type_of_function) and each.name == "get_queryset":
                    return self._inner_steps(module, function_of(module, each), None)
        return []

    def _inner_steps(self, module: Module, method: Function, step: Step | None) -> list[Step]:
        values = returned_values(method)
        root, steps = peel(module, values[0]) if len(values) == 1 else (method.node, [])
        own = isinstance(root, (ast.Name, ast.Attribute, ast.Call)) and (
            module.segment(root).startswith(("self", "super()"))
        )
        if not own or any(inner.name not in (*CHAIN, "get_queryset") for inner in steps):
            place = step.module.at(step.node) if step else module.at(method.node)
            raise Decline(Why.QUERYSET_NOT_FOUND, f"{place}: {method.node.name}() does more than chain a queryset")
        return [inner for inner in steps if inner.name != "get_queryset"]

    def _manager_classes(self, model: Model, manager: str) -> Iterator[tuple[Module, ast.ClassDef]]:
        value = model.managers.get(manager)
        for module, _ in model.classes if value is not None else ():
            for node in ast.walk(value) if value is not None else ():
                if isinstance(node, (ast.Name, ast.Attribute)):
                    found = self.repository.resolve(module, node)
                    if found and isinstance(found.node, ast.ClassDef):
                        yield found.module, found.node

    # ── names, helpers, pages ────────────────────────────────────────────────────────────────────────────────────

    def _named(self, function: Function, name: ast.Name, depth: int) -> Feed:
        values = assigned_values(function, name.id)
        if values is None:
            raise Decline(Why.QUERYSET_NOT_FOUND, f"{function.module.at(name)}: {name.id} is bound in several ways")
        first: list[ast.expr] = []
        refined: list[Step] = []
        for value in values:
            root, steps = peel(function.module, unwrap(value)[0])
            if isinstance(root, ast.Name) and root.id == name.id:
                refined += steps
            else:
                first.append(value)
        if len(first) > 1:
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(name)}: {name.id} is assigned in {len(first)} places")
        if first:
            return self._more(self.feed(function, first[0], depth - 1), refined)
        return self._more(self._parameter(function, name, depth), refined)

    def _parameter(self, function: Function, name: ast.Name, depth: int) -> Feed:
        site, value = self._only_argument(function, name)
        return self.feed(site, value, depth - 1)

    def _only_argument(self, function: Function, name: ast.Name) -> tuple[Function, ast.expr]:
        if name.id not in function.parameters:
            raise self._unknown(function, name)
        sites = callers(self.repository, function)
        if len(sites) > 1:
            raise Decline(Why.AMBIGUOUS, f"{function.name} has {len(sites)} callers that could feed {name.id}")
        value = argument(function, sites[0].call, name.id) if sites else None
        if value is None:
            raise self._unknown(function, name)
        return sites[0].function, value

    def _helper(self, function: Function, node: ast.expr) -> Function:
        helper = resolve_call(self.repository, function, node) if isinstance(node, ast.Call) else None
        if helper is None:
            raise self._unknown(function, node)
        return helper

    def _helped(self, function: Function, call: ast.expr, steps: list[Step], depth: int) -> Feed:
        """The query that a helper returns; it is extended where the helper is called, so that other callers keep it."""
        inner = self._returned(self._helper(function, call), depth)
        if inner.step(*STOP):
            return self._more(inner, steps)
        return self._more(replace(inner, function=function, anchor=self._before_stop(call, steps)), steps)

    def _before_stop(self, start: ast.expr, steps: list[Step]) -> ast.expr:
        for step in steps:
            if step.name in STOP:
                break
            start = step.node
        return start

    def _returned(self, helper: Function, depth: int) -> Feed:
        values = returned_values(helper)
        if len(values) != 1:
            raise Decline(Why.AMBIGUOUS, f"{helper.name} returns in {len(values)} places")
        return self.feed(helper, values[0], depth - 1)

    def _paged(self, function: Function, node: ast.expr) -> ast.expr | None:
        """What a page is cut from: `Paginator(rows, 20).get_page(1)`, also through names and `.object_list`."""
        if isinstance(node, ast.Attribute) and node.attr == "object_list":
            node = node.value
        node = self._through_name(function, node)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("page", "get_page")
        ):
            maker = self._through_name(function, node.func.value)
            if isinstance(maker, ast.Call) and maker.args:
                dotted = self.repository.dotted(function.module, maker.func)
                return maker.args[0] if dotted.startswith("django.core.paginator.") else None
        return None

    def _through_name(self, function: Function, node: ast.expr) -> ast.expr:
        values = assigned_values(function, node.id) if isinstance(node, ast.Name) else None
        return values[0] if values and len(values) == 1 else node

    # ── one row ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _fetched(self, function: Function, call: ast.Call, depth: int) -> Instance | None:
        if isinstance(call.func, ast.Attribute) and call.func.attr in ONE_ROW:
            try:
                return Instance(self.feed(function, call.func.value, depth - 1).model, False)
            except Decline:
                return None
        shortcut = self.repository.dotted(function.module, call.func) == "django.shortcuts.get_object_or_404"
        if shortcut and call.args:
            root, _ = peel(function.module, call.args[0])
            named = root.value if isinstance(root, ast.Attribute) else root
            model = self.models.of(function.module, root) or self.models.of(function.module, named)
            return Instance(model, False) if model else None
        model = self.models.of(function.module, call.func)
        return Instance(model, False) if model else None

    def _variable(self, function: Function, name: ast.Name, depth: int) -> Instance | None:
        own = self.models.of_class(function.owner)
        if own is not None and function.parameters[:1] == [name.id]:
            return Instance(own, True)
        values = assigned_values(function, name.id)
        if values:
            return self.instance(function, values[0], depth - 1) if len(values) == 1 else None
        try:
            loop = loop_over(function, name)
            if loop is not None:
                return Instance(self.feed(function, loop, depth - 1).model, True)
            site, value = self._only_argument(function, name)
        except Decline:
            return None
        return self.instance(site, value, depth - 1)

    def _unknown(self, function: Function, node: ast.AST) -> Decline:
        text = " ".join(function.module.segment(node).split())[:60]
        return Decline(Why.QUERYSET_NOT_FOUND, f"{function.module.at(node)}: no query is known behind `{text}`")
