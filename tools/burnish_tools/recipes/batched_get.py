"""Fetches with one query the rows that a loop gets by their primary keys, one after the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.batched_get import BATCHED_GET
from burnish_tools.recipes.source.chains import assigned_values
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, plain_name, refuse_locked, refuse_warned
from burnish_tools.recipes.source.loops import Loop, bound_names, exits_early, loops, outer_loops
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.selects import Selects
from burnish_tools.recipes.source.sqlalchemy_imports import imported
from burnish_tools.recipes.source.sqlalchemy_models import SqlModel, SqlModels
from burnish_tools.recipes.source.sqlalchemy_reads import SESSION, effect
from burnish_tools.recipes.source.statements import main_table
from burnish_tools.recipes.source.wording import plural, short

KEPT = ("list", "tuple", "set", "frozenset", "Sequence", "Collection", "List", "Tuple", "Set", "FrozenSet")
"""Annotations of what can be run over twice."""
MANY = 5_000
"""Keys in one query: drivers send each as a parameter, and PostgreSQL's protocol and SQLite end at 32,766 of them."""
PLAIN = ("int", "str", "UUID", "uuid.UUID")


@dataclass(frozen=True)
class Get:
    """`await session.get(Model, key)` in a loop over `rows`."""

    loop: Loop
    call: ast.Call
    model: SqlModel
    key: ast.expr
    awaited: bool

    @property
    def session(self) -> str:
        """As it is written."""
        return ast.unparse(self.call.func.value) if isinstance(self.call.func, ast.Attribute) else ""


class BatchedGet(BaseRecipe):
    """Fetch the rows that a loop gets by their keys with one query before it.

    ## What it does
    Finds `session.get(Model, key)`, awaited or not, in a loop over keys or over rows that hold the key, asks for all of
    them with one `select(Model).where(Model.id.in_(…))` before the loop, and looks each up where it was asked for.

    ## Why it is slow
    `Session.get` sends a query for every key that the session does not hold yet: one for each turn of the loop.

    ## Example
    ```python
    for order in orders:
        customer = await session.get(Customer, order.customer_id)
    ```
    becomes
    ```python
    customers_wanted = select(Customer).where(Customer.id.in_([order.customer_id for order in orders]))
    customers_by_id = {row.id: row for row in await session.scalars(customers_wanted)}
    for order in orders:
        customer = customers_by_id.get(order.customer_id)
    ```

    ## Fix safety
    The loop runs over the same values in the same order; a key without a row still gives None, and the session hands
    out the same instances. It declines where the key is not certainly of the primary key's type (`"3"` is not 3 in a
    dictionary), where what the loop runs over can be read only once, and where the loop writes, locks or stops early.

    ## Known problems
    Rows that only some turns of the loop would have asked for are fetched too. Code that relies on seeing another
    process's write in the middle of the loop would no longer see it.
    """

    name = "batched_get"
    kinds = frozenset(("n_plus_one",))
    risk = 1.5
    examples = BATCHED_GET

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        refuse_locked(finding, repository)
        models = repository.once(SqlModels)
        site = finding.evidence.site
        if site is not None and plain_name(site.function) != function.name:
            raise Decline(Why.NO_PATTERN, f"the query is sent in {plain_name(site.function)}, not in the loop itself")
        table = main_table(finding.evidence.statement)
        get = _only([get for get in _gets(models, function) if get.model.table == table], table)
        _refuse(finding, repository, models, function, get)
        return _described(function, get, _fetched(function, get))


def _gets(models: SqlModels, function: Function) -> Iterator[Get]:
    for loop in loops(function):
        for node in (each for top in loop.body for each in ast.walk(top)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "get":
                continue
            model = models.of(function.module, node.args[0]) if len(node.args) == 2 else None
            if model is not None and ast.unparse(node.func.value).lower().endswith(SESSION):
                awaited = isinstance(function.module.parents[node], ast.Await)
                yield Get(loop, node, model, node.args[1], awaited)


def _only(gets: list[Get], table: str) -> Get:
    if not gets:
        raise Decline(Why.NO_PATTERN, f"no loop gets rows of {table} by their key")
    if len({get.call for get in gets}) > 1 or len(gets) > 1:
        raise Decline(Why.AMBIGUOUS, f"rows of {table} are fetched in several places or in loops inside of loops")
    return gets[0]


def _refuse(finding: Finding, repository: Repository, models: SqlModels, function: Function, get: Get) -> None:
    """Raises Decline where asking beforehand could give another row, or none."""
    module, loop = function.module, get.loop
    at = module.at(get.call)
    if get.call.keywords:
        names = ", ".join(each.arg or "**" for each in get.call.keywords)
        locks = "with_for_update" in names
        raise Decline(Why.LOOP_LOCKS if locks else Why.NO_PATTERN, f"{at} is given {names}")
    if finding.evidence.executions_per_call > MANY or finding.evidence.executions_p90 > MANY:
        raise Decline(Why.NO_PATTERN, f"the loop asks for more than {MANY} keys, too many for one query")
    if len(outer_loops(function, get.call)) != 1:
        raise Decline(Why.NO_PATTERN, f"{at} stands in a loop inside of a loop")
    refuse_warned(module, get.call, loop.iterable)
    stop = exits_early(loop)
    if stop is not None:
        raise Decline(Why.LOOP_EXITS_EARLY, f"{module.at(stop)} may end the loop before the last row")
    key = frozenset((get.key.attr,)) if isinstance(get.key, ast.Attribute) else frozenset[str]()
    written = effect(repository, function, loop.body, key)
    if written:
        raise Decline(Why.LOOP_WRITES, f"{written} writes, or ends the transaction, in the loop")
    _refuse_names(get, at)
    _refuse_kind(repository, models, function, get)


def _refuse_names(get: Get, at: str) -> None:
    """The key and the session have to be the same before the loop."""
    target, session = get.loop.target, get.session
    root = get.key.value if isinstance(get.key, ast.Attribute) else get.key
    if not isinstance(target, ast.Name) or not isinstance(root, ast.Name) or root.id != target.id:
        raise Decline(Why.NO_PATTERN, f"{at}: the key is neither what the loop runs over nor an attribute of it")
    body = get.loop.body
    if {target.id, session.partition(".")[0]} & bound_names(body):
        raise Decline(Why.NO_PATTERN, f"{at}: {target.id} or {session} is bound again in the loop")
    if not isinstance(get.loop.iterable, ast.Name):
        raise Decline(Why.NO_PATTERN, f"{at}: what the loop runs over has no name, so it cannot be read twice")


def _refuse_kind(repository: Repository, models: SqlModels, function: Function, get: Get) -> None:
    """The key has to be of the type of the primary key, and what the loop runs over must bear a second reading."""
    at, own = function.module.at(get.call), get.model.key
    if own is None or own[1].kind not in PLAIN:
        raise Decline(Why.NO_PATTERN, f"{get.model.name} has no primary key of one plain column")
    assert isinstance(get.loop.iterable, ast.Name)
    kind, row = _elements(repository, models, function, get.loop.iterable)
    if isinstance(get.key, ast.Attribute):
        column = row.columns.get(get.key.attr) if row else None
        if column is None or column.refers != f"{get.model.table}.{own[0]}" or column.kind != own[1].kind:
            raise Decline(Why.NO_PATTERN, f"{at}: {ast.unparse(get.key)} is not known to refer to {get.model.name}")
    elif kind != own[1].kind:
        raise Decline(Why.NO_PATTERN, f"{at}: the keys are not known to be of type {own[1].kind}")


def _elements(
    repository: Repository, models: SqlModels, function: Function, name: ast.Name
) -> tuple[str, SqlModel | None]:
    """(type, model) of what is in a list: by the parameter's annotation, or by the query that filled it."""
    values = assigned_values(function, name.id)
    if values:
        if len(values) != 1 or not _is_kept(values[0]):
            raise Decline(Why.NO_PATTERN, f"{function.module.at(name)}: {name.id} may be readable only once")
        return "", Selects(repository, models).feed(function, name).model
    arguments = (*function.node.args.posonlyargs, *function.node.args.args, *function.node.args.kwonlyargs)
    given = next((each.annotation for each in arguments if each.arg == name.id), None)
    if not isinstance(given, ast.Subscript) or ast.unparse(given.value).rpartition(".")[2] not in KEPT:
        raise Decline(Why.NO_PATTERN, f"{function.module.at(name)}: {name.id} is not known to be a list")
    inner = given.slice.elts[0] if isinstance(given.slice, ast.Tuple) else given.slice
    return ast.unparse(inner), models.of(function.module, inner)


def _is_kept(node: ast.expr) -> bool:
    """`list(…)` or `….all()`: rows in memory, not a result that is read once."""
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return False
    named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return named in ("all", "list", "tuple", "fetchall")


def _fetched(function: Function, get: Get) -> Edits:
    """Two statements before the loop, and a look-up where the row was asked for."""
    module, loop = function.module, get.loop
    edits, own = Edits(module), get.model.key
    assert own is not None
    rows, name = plural(get.model.name), ast.unparse(get.call.args[0])
    wanted, found = f"{rows}_wanted", f"{rows}_by_{own[0]}"
    if {wanted, found} & (bound_names(function.node.body) | set(function.parameters)):
        raise Decline(Why.AMBIGUOUS, f"{function.name} uses the name {wanted} or {found} already")
    select = imported(edits, "sqlalchemy", "select")
    target, iterable = ast.unparse(loop.target), ast.unparse(loop.iterable)
    keys = iterable if isinstance(get.key, ast.Name) else f"[{ast.unparse(get.key)} for {target} in {iterable}]"
    statement = loop.node if isinstance(loop.node, ast.stmt) else module.statement(loop.node)
    run = f"{'await ' if get.awaited else ''}{get.session}.scalars({wanted})"
    edits.before(statement, f"{wanted} = {select}({name}).where({name}.{own[0]}.in_({keys}))")
    edits.before(statement, f"{found} = {{row.{own[0]}: row for row in {run}}}")
    around = module.parents[get.call]
    asked = around if isinstance(around, ast.Await) else get.call
    edits.replace(asked, f"{found}.get({ast.unparse(get.key)})")
    return edits


def _described(function: Function, get: Get, edits: Edits) -> Change:
    rows = plural(get.model.name)
    return Change(
        recipe=BatchedGet.name,
        title=title(f"Fetch {rows} with one query in {short(function.name)}"),
        summary=f"Asks for all {rows} of the loop at {function.module.at(get.loop.iterable)} with one query before it.",
        safety="The loop runs over the same values in the same order, a key without a row still gives None, the "
        "session hands out the same instances, and nothing in the loop writes.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )
