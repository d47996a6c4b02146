"""What `select_related` and `prefetch_related` share: from the statement to the relation, the loop and its query."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.why import Why
from burnish_tools.recipes.source.chains import Feed, unwrap
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.follow import Follow, Read, Row
from burnish_tools.recipes.source.functions import Function, by_name, find, plain_name, refuse_locked, refuse_warned
from burnish_tools.recipes.source.loops import Effects, Loop, exits_early, loops
from burnish_tools.recipes.source.models import Models
from burnish_tools.recipes.source.querysets import Querysets
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.rewrites import add_arguments, call_method
from burnish_tools.recipes.source.statements import main_table
from burnish_tools.recipes.source.wording import quoted

NO_INSTANCES = ("values", "values_list", "dates", "datetimes")
COMBINED = ("union", "intersection", "difference", "raw", "extra")


@dataclass(frozen=True)
class Hit:
    """A loop whose rows read the relation, and the query that feeds it."""

    loop: Loop
    feed: Feed
    read: Read
    entered: tuple[Function, ...]


class Search:
    """Looks for the loop of one finding. Making one raises Decline where the function or the statement forbids it."""

    def __init__(self, finding: Finding, repository: Repository, *, many: bool) -> None:
        self.finding = finding
        self.repository = repository
        self.many = many
        self.models = repository.once(Models)
        self.querysets = Querysets(repository, self.models)
        self.function = find(repository, finding)
        refuse_locked(finding, repository)

    def hit(self, table: str, column: str = "") -> Hit:
        """The one loop and relation to `table` (with the condition on `column`). Raises Decline."""
        failures: list[Decline] = []
        hits = [hit for function in self._functions() for hit in self._hits(function, failures)
                if self._leads_to(hit.read, table, column)]  # fmt: skip
        if not hits:
            raise self._nothing(failures, table)
        nearest = [hit for hit in hits if self._on_line(hit.read)] or hits
        choices = {(hit.feed.anchor, hit.read.path): hit for hit in reversed(nearest)}
        if len({hit.feed.anchor for hit in choices.values()}) > 1:
            choices = self._outermost_known(choices)
        if len(choices) > 1:
            places = sorted(f"{hit.feed.function.module.at(hit.feed.anchor)} ({'.'.join(hit.read.path)})"
                            for hit in choices.values())  # fmt: skip
            raise Decline(Why.AMBIGUOUS, "several queries could fetch it: " + ", ".join(places))
        return next(iter(choices.values()))

    def _outermost_known(self, choices: dict[tuple[ast.expr, tuple[str, ...]], Hit]) -> dict[
        tuple[ast.expr, tuple[str, ...]], Hit
    ]:  # fmt: skip
        """A loop inside a loop over the same rows is fed by the outer query: the inner one does not count."""
        outer = {key: hit for key, hit in choices.items() if not hit.feed.per_row}
        return outer or choices

    def unfit(self, sentence: str, why: Why = Why.NO_PATTERN) -> Decline:
        """Why a statement of another shape is left alone: what the loop does with its table, or else this sentence."""
        effects = Effects(self.repository, self.querysets, wary=True)
        table = main_table(self.finding.evidence.statement)
        for loop in loops(self.function):
            if self._holds_site(loop):
                for write in effects.writes(loop.function, loop.body):
                    if not write.table or write.table == table:
                        return Decline(Why.LOOP_WRITES, f"{write.place} writes {write.table or 'to the database'}")
        return Decline(why, sentence)

    def _holds_site(self, loop: Loop) -> bool:
        site = self.finding.evidence.site
        if site is None or plain_name(site.function) != self.function.name:
            return True
        return any(
            getattr(node, "lineno", 0) <= site.line <= (getattr(node, "end_lineno", 0) or 0) for node in loop.body
        )

    def _functions(self) -> list[Function]:
        named = [by_name(self.repository, name) for name in self.finding.evidence.path]
        every = [self.function, *(function for function in named if function is not None)]
        return list({function.node: function for function in every}.values())

    def _hits(self, function: Function, failures: list[Decline]) -> Iterator[Hit]:
        for loop in loops(function):
            iterable, target = unwrap(loop.iterable, loop.target)
            if not isinstance(target, ast.Name):
                continue
            try:
                feed = self.querysets.feed(function, iterable)
            except Decline as failure:
                failures.append(failure)
                continue
            follow = Follow(self.repository)
            follow.run(function, loop.body, {target.id: Row(feed.model)})
            for read in follow.reads:
                yield Hit(loop, feed, read, tuple(follow.entered))

    def _leads_to(self, read: Read, table: str, column: str) -> bool:
        if read.many != self.many or not self._at_site(read):
            return False
        if self.many:
            relation = read.source.many[read.name]
            return relation.table == table and relation.column == column
        target = read.source.fields[read.name].target
        return target is not None and target.table == table

    def _at_site(self, read: Read) -> bool:
        site = self.finding.evidence.site
        if site is None:
            return True
        wanted = plain_name(site.function)
        return any(wanted == plain_name(function.name) for function, _ in read.places)

    def _on_line(self, read: Read) -> bool:
        site = self.finding.evidence.site
        return site is None or any(
            function.name == plain_name(site.function) and node.lineno <= site.line <= (node.end_lineno or node.lineno)
            for function, node in read.places
        )

    def _nothing(self, failures: list[Decline], table: str) -> Decline:
        found = [loop for function in self._functions() for loop in loops(function)]
        if not found:
            return Decline(Why.NO_PATTERN, f"{self.function.name} has no loop; its rows are read elsewhere")
        ambiguous = next((failure for failure in failures if failure.why is Why.AMBIGUOUS), None)
        if failures:
            return ambiguous or failures[0]
        places = ", ".join(loop.function.module.at(loop.iterable) for loop in found)
        return Decline(Why.RELATION_NOT_FOUND, f"no relation to {table} is read from the rows of the loop at {places}")


def refuse_unsafe(search: Search, hit: Hit, tables: frozenset[str]) -> None:
    """Raises Decline where fetching beforehand could change what the loop sees or does."""
    feed, loop = hit.feed, hit.loop
    locked = feed.step("select_for_update")
    if locked:
        raise Decline(Why.LOOP_LOCKS, f"{locked.module.at(locked.node)} locks its rows")
    plain = feed.step(*NO_INSTANCES, *COMBINED)
    if plain:
        raise Decline(Why.NO_PATTERN, f"{plain.module.at(plain.node)}: .{plain.name}() cannot be extended this way")
    refuse_warned(feed.function.module, feed.anchor)
    refuse_warned(loop.function.module, loop.iterable)
    for where, node in hit.read.places:
        refuse_warned(where.module, node)
    stop = exits_early(loop)
    if stop is not None:
        raise Decline(Why.LOOP_EXITS_EARLY, f"{loop.function.module.at(stop)} may end the loop before the last row")
    effects = Effects(search.repository, search.querysets, wary=True)
    nodes = [(loop.function, loop.body), *((function, tuple(function.node.body)) for function in hit.entered)]
    for function, body in nodes:
        for write in effects.writes(function, body):
            if not write.table or write.table in tables:
                raise Decline(Why.LOOP_WRITES, f"{write.place} writes {write.table or 'to the database'} in the loop")


def written_strings(call: ast.expr) -> list[str] | None:
    """The plain strings that a call is given; None where one of its arguments is something else."""
    assert isinstance(call, ast.Call)
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return texts if len(texts) == len(call.args) and not call.keywords else None


def covered(path: str, written: list[str]) -> bool:
    """True where a relation path is already fetched by one of the written ones."""
    return any(each == path or each.startswith(path + "__") for each in written)


def fetched(hit: Hit, method: str) -> Edits:
    """The query that feeds the loop with `.method("path")`; an existing call of the method gets one argument more."""
    feed = hit.feed
    edits = Edits(feed.function.module)
    argument = quoted(feed.function.module, "__".join(hit.read.path))
    own = [step for step in feed.steps if step.name == method and step.node in set(ast.walk(feed.anchor))]
    if own:
        edits.change(own[-1].node, add_arguments(argument))
    else:
        edits.change(feed.anchor, call_method(method, argument))
    return edits
