"""Loads a relationship of SQLAlchemy's ORM with the rows of a loop, where each row asks for it on its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.selectinload import SELECTINLOAD
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, plain_name, refuse_locked, refuse_warned
from burnish_tools.recipes.source.loops import Loop, exits_early, loops
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.rewrites import add_arguments, call_method
from burnish_tools.recipes.source.selects import Select, Selects
from burnish_tools.recipes.source.sqlalchemy_imports import imported
from burnish_tools.recipes.source.sqlalchemy_models import WHEN_READ, SqlModels
from burnish_tools.recipes.source.sqlalchemy_reads import Reads, SqlRead, effect, entered_bodies
from burnish_tools.recipes.source.statements import main_table
from burnish_tools.recipes.source.wording import plural, short

COUNTED = ("group_by", "distinct", "join", "outerjoin", "select_from", "from_statement", "union", "union_all")
"""With these a join of one table more could change which rows come out, or not be written by hand."""
ONE_KEY = re.compile(r"\bWHERE (?:(?:\?|%s|\$\d+)(?:::\w+)? = [\w.\"]+|[\w.\"]+ = (?:\?|%s|\$\d+)(?:::\w+)?)", re.I)


@dataclass(frozen=True)
class Hit:
    """A loop whose rows read the relationship, and the select that feeds it."""

    loop: Loop
    select: Select
    read: SqlRead
    reads: Reads
    table: str
    """Where the relationship leads."""


class SelectInLoad(BaseRecipe):
    """Load a relationship together with the rows that a loop runs over.

    ## What it does
    Finds the relationship that the rows of a loop read, directly, by `awaitable_attrs`, or in a function, method or
    property that is given the row, and adds `.options(selectinload(Model.relationship))` to the `select(Model)` that
    feeds the loop. Where the relationship leads to one row that is certainly there, it is
    `joinedload(…)`, an outer join: a key without a row, where the database lets that be, drops nothing.

    ## Why it is slow
    SQLAlchemy loads a relationship when it is first read: one query for each row of the loop. `selectinload` fetches
    those of all rows with one more query (for each 500 rows), `joinedload` with the query that is there.

    ## Example
    ```python
    for book in session.scalars(select(Book).order_by(Book.title)):
        names.append([tag.name for tag in book.tags])
    ```
    becomes
    ```python
    for book in session.scalars(select(Book).order_by(Book.title).options(selectinload(Book.tags))):
        names.append([tag.name for tag in book.tags])
    ```

    ## Fix safety
    The rows, their order and their number stay the same, and a collection has the order of its relationship. It
    declines where the loop writes, ends the transaction or stops early, where rows are locked or streamed, and where
    the query stands in a function that others call too: they would pay for rows that they do not read.

    ## Known problems
    All related rows are in memory at once. Code that relies on seeing another process's write in the middle of the
    loop would no longer see it.
    """

    name = "selectinload"
    kinds = frozenset(("n_plus_one",))
    risk = 1.0
    examples = SELECTINLOAD

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        refuse_locked(finding, repository)
        table = main_table(finding.evidence.statement)
        if not ONE_KEY.search(" ".join(finding.evidence.statement.split())):
            raise Decline(Why.NO_PATTERN, "the statement does not read what belongs to one key")
        models = repository.once(SqlModels)
        if not models.all:
            raise Decline(Why.RELATION_NOT_FOUND, "the repository has no declarative models of SQLAlchemy")
        hit = _only(list(_hits(finding, repository, models, function, table)), table, function)
        _refuse(repository, hit)
        return _described(hit, _loaded(hit))


def _hits(finding: Finding, repository: Repository, models: SqlModels, function: Function, table: str) -> Iterator[Hit]:
    """Loops whose rows read something that lies in `table`, where the statement was sent. The last reason is raised
    where no loop's query is known."""
    selects, found = Selects(repository, models), False
    failures: list[Decline] = []
    for loop in loops(function):
        if not isinstance(loop.target, ast.Name):
            continue
        try:
            select = selects.feed(function, loop.iterable)
        except Decline as failure:
            failures.append(failure)
            continue
        reads = Reads(repository, select.model)
        for read in list(reads.of(function, loop.body, loop.target.id)):
            target = models.target(select.model, read.relation)
            if target is not None and target.table == table and _at_site(finding, read):
                found = True
                yield Hit(loop, select, read, reads, table)
    if failures and not found:
        raise next((each for each in failures if each.why is Why.AMBIGUOUS), failures[0])


def _at_site(finding: Finding, read: SqlRead) -> bool:
    site = finding.evidence.site
    return site is None or plain_name(site.function) == plain_name(read.function.name)


def _only(hits: list[Hit], table: str, function: Function) -> Hit:
    choices = {(hit.select.anchor, hit.read.relation.name): hit for hit in reversed(hits)}
    if len(choices) > 1:
        places = sorted(f"{hit.read.function.module.at(hit.read.node)} ({name})" for (_, name), hit in choices.items())
        raise Decline(Why.AMBIGUOUS, "several relationships lead there: " + ", ".join(places))
    if not choices:
        if not loops(function):
            raise Decline(Why.NO_PATTERN, f"{function.name} has no loop; its rows are read elsewhere")
        raise Decline(Why.RELATION_NOT_FOUND, f"no relationship to {table} is read from the rows of a loop")
    return next(iter(choices.values()))


def _refuse(repository: Repository, hit: Hit) -> None:
    """Raises Decline where loading beforehand could change what the loop sees or does."""
    select, loop, relation = hit.select, hit.loop, hit.read.relation
    module = select.function.module
    lock = select.step("with_for_update")
    if lock:
        raise Decline(Why.LOOP_LOCKS, f"{module.at(lock)} locks its rows")
    if relation.lazy not in WHEN_READ:
        place = select.model.module.at(relation.node)
        raise Decline(Why.NO_PATTERN, f"{place}: {relation.name} is loaded with lazy={relation.lazy!r}")
    _refuse_options(hit)
    _refuse_shared(repository, select)
    for where, node in ((module, select.anchor), (loop.function.module, loop.iterable),
                        (hit.read.function.module, hit.read.node), (select.model.module, relation.node)):  # fmt: skip
        refuse_warned(where, node)
    stop = exits_early(loop)
    if stop is not None:
        raise Decline(Why.LOOP_EXITS_EARLY, f"{loop.function.module.at(stop)} may end the loop before the last row")
    names = frozenset((relation.name,))
    bodies: list[tuple[Function, Sequence[ast.AST]]] = [(loop.function, loop.body), *entered_bodies(hit.reads)]
    for function, body in bodies:
        written = effect(repository, function, body, names)
        if written:
            raise Decline(Why.LOOP_WRITES, f"{written} writes, or ends the transaction, in the loop")


def _refuse_options(hit: Hit) -> None:
    """Options that are there: the same one, or one that this recipe does not read."""
    select, name = hit.select, hit.read.relation.name
    for call in select.steps:
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("options", "execution_options"):
            continue
        place = select.function.module.at(call)
        if call.func.attr == "execution_options":
            if "yield_per" in ast.unparse(call) or "stream_results" in ast.unparse(call):
                raise Decline(Why.NO_PATTERN, f"{place} streams its rows")
        elif any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(call)):
            raise Decline(Why.ALREADY_DONE, f"{place} says already how {name} is loaded")
        elif any(isinstance(each, ast.Starred) for each in call.args) or "load_only" in ast.unparse(call):
            raise Decline(Why.NO_PATTERN, f"{place}: these options cannot be added to")


def _refuse_shared(repository: Repository, select: Select) -> None:
    """What is added inside a helper, all its callers get."""
    for helper in select.helpers:
        name = helper.node.name
        calls = [
            module.at(node)
            for module in repository.modules(name)
            for node in ast.walk(module.tree)
            if isinstance(node, (ast.Attribute, ast.Name)) and name == getattr(node, "attr", getattr(node, "id", ""))
            if isinstance(node.ctx, ast.Load)
        ]
        if len(calls) > 1:
            raise Decline(Why.AMBIGUOUS, f"{helper.name} is used in several places: {', '.join(sorted(calls)[:3])}")


def _loaded(hit: Hit) -> Edits:
    """The select with the option; one more argument where it has options already."""
    select, relation = hit.select, hit.read.relation
    edits = Edits(select.function.module)
    keys = [column for column in select.model.columns.values() if hit.table in column.refers.split(".")[:-1]]
    joined = bool(keys) and not relation.many and not relation.nullable and select.step(*COUNTED) is None
    loader = imported(edits, "sqlalchemy.orm", "joinedload" if joined else "selectinload")
    model = _written_model(select)
    argument = f"{loader}({model}.{relation.name})"
    own = select.step("options")
    if own is not None and own in set(ast.walk(select.anchor)):
        edits.change(own, add_arguments(argument))
    else:
        edits.change(select.anchor, call_method("options", argument))
    return edits


def _written_model(select: Select) -> str:
    """The model as the select names it: `Book`, `models.Book`."""
    for node in ast.walk(select.anchor):
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            root = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if root == "select":
                return ast.unparse(node.args[0])
    return select.model.name


def _described(hit: Hit, edits: Edits) -> Change:
    select, relation = hit.select, hit.read.relation
    rows = plural(select.model.name)
    at = hit.loop.function.module.at(hit.loop.iterable)
    return Change(
        recipe=SelectInLoad.name,
        title=title(f"Load {relation.name} with {rows} in {short(select.function.name)}"),
        summary=f"Adds an option to the query for {rows}, so that {relation.name} comes with them and is not queried "
        f"again for each row of the loop at {at}.",
        safety=f"The option loads by the same relationship that `.{relation.name}` reads, in the same order. Filters, "
        f"order and number of {rows} stay as they are, and nothing in the loop writes.",
        edits=file_edits([edits]),
        functions=(select.function.name,),
    )
