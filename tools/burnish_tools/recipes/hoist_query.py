"""Asks the database once for what a function asks again and again with the same arguments."""

from __future__ import annotations

import ast

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.hoist_query import HOIST_QUERY
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import refuse_warned
from burnish_tools.recipes.source.hoist import refuse_conditional
from burnish_tools.recipes.source.loops import COMPREHENSIONS, bound_names, outer_loops
from burnish_tools.recipes.source.repeated import Query, Repeated
from burnish_tools.recipes.source.repo import Decline, Repository, type_of_function
from burnish_tools.recipes.source.wording import short


class HoistQuery(BaseRecipe):
    """Run an unchanging query once per call instead of once per row.

    ## What it does
    A query for one row or one number (`.get()`, `.first()`, `.count()`, …, or a helper that only returns one) that
    stands in a `for` loop with arguments that the loop does not change is run at its first use and kept in a local.
    Without a loop, the second of two equal queries is replaced by the variable that holds the first one's answer.

    ## Why it is slow
    The database gives the same answer each time, and each answer costs a round trip.

    ## Example
    ```python
    for line in lines:
        rate = TaxRate.objects.get(code="standard")
        total += line.amount * rate.percent
    ```
    becomes
    ```python
    rate = None
    for line in lines:
        if rate is None:
            rate = TaxRate.objects.get(code="standard")
        total += line.amount * rate.percent
    ```

    ## Fix safety
    The query stays where it was and runs at its first use, not before the loop: where the loop has no rows no query
    runs, and DoesNotExist is raised from the same statement as before. It declines where the loop (or anything it
    calls) writes to the database, locks rows, waits, yields, reads a clock for the arguments, or changes the object
    that it got; and where a comment says that the value must be read each time.

    ## Known problems
    Where `.first()` finds nothing the query is still repeated, because None is also the mark for "not asked yet".
    A write by another process during the loop is seen by the next call and no longer by the next row. All rows share
    one object; where it is handed on to unknown code the recipe declines.
    """

    name = "hoist_query"
    kinds = frozenset(("repeated_query",))
    risk = 1.5
    examples = HOIST_QUERY

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        repeated = Repeated(finding, repository)
        queries = repeated.queries()
        looped = [query for query in queries if outer_loops(repeated.function, query.call)]
        if looped:
            return _hoist(repeated, looped)
        return _reuse(repeated, queries)


def _hoist(repeated: Repeated, looped: list[Query]) -> Change:
    query = looped[0]
    if len(looped) > 1:
        places = ", ".join(repeated.module.at(each.call) for each in looped)
        raise Decline(Why.AMBIGUOUS, f"the query stands in several places of a loop: {places}")
    statement = repeated.module.statement(query.call)
    _refuse_kept(repeated, statement)
    refuse_conditional(repeated.module, query.call, statement)
    loop = _widest(repeated, query)
    edits = Edits(repeated.module)
    name = _own_name(repeated, statement, query, loop)
    if name:
        edits.guard(statement, f"{name} is None")
    else:
        name = repeated.free_name(query)
        edits.before(statement, f"if {name} is None:\n    {name} = {repeated.module.segment(query.call)}")
        edits.replace(query.call, name)
    edits.before(loop, f"{name} = None")
    place = repeated.module.at(query.call)
    return Change(
        recipe=HoistQuery.name,
        title=title(f"Query {query.what} once in {short(repeated.function.name)}"),
        summary=f"Keeps the answer of the query at {place} in `{name}` for the rest of the loop, "
        f"instead of asking again for each row.",
        safety="Nothing that the loop changes is part of the query, and nothing in the loop writes to the database "
        "or changes the object. The query still runs at its first use only, so a loop without rows runs none and an "
        "error is raised where it was raised before.",
        edits=file_edits([edits]),
        functions=(repeated.function.name,),
    )


def _widest(repeated: Repeated, query: Query) -> ast.For:
    """The outermost `for` in which the query stays the same. Raises Decline with the innermost one's reason."""
    around = outer_loops(repeated.function, query.call)
    refusal = Decline(Why.NO_PATTERN)
    for loop in reversed(around):
        try:
            if isinstance(loop, COMPREHENSIONS):
                raise Decline(Why.NO_PATTERN, f"{repeated.module.at(query.call)}: a comprehension has no room for it")
            if isinstance(loop, ast.While):
                raise Decline(
                    Why.NOT_INVARIANT, f"{repeated.module.at(loop)}: a `while` may wait for the value to change"
                )
            if not isinstance(loop, ast.For):
                raise Decline(Why.NO_PATTERN, f"{repeated.module.at(loop)} is no plain `for`")
            repeated.refuse_unless_invariant(query, loop)
        except Decline as reason:
            refusal = reason
        else:
            return loop
    raise refusal


def _refuse_kept(repeated: Repeated, statement: ast.stmt) -> None:
    guard = repeated.module.parents[statement]
    names = {ast.unparse(target) for target in statement.targets} if isinstance(statement, ast.Assign) else set()
    if isinstance(guard, ast.If) and any(ast.unparse(guard.test) == f"{name} is None" for name in names):
        raise Decline(Why.ALREADY_DONE, f"{repeated.module.at(guard)} keeps the first answer")


def _own_name(repeated: Repeated, statement: ast.stmt, query: Query, loop: ast.For) -> str:
    """The name that the query is assigned to, where it is used in this loop only; else an empty string."""
    plain = isinstance(statement, ast.Assign) and statement.value is query.call and len(statement.targets) == 1
    if not plain or not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return ""
    name = statement.targets[0].id
    used = [node for node in ast.walk(repeated.function.node) if isinstance(node, ast.Name) and node.id == name]
    inside = set(ast.walk(loop))
    shared = any(
        isinstance(node, (ast.Global, ast.Nonlocal)) and name in node.names for node in repeated.function.nodes()
    )
    once = sum(not isinstance(node.ctx, ast.Load) for node in used) == 1
    first = min(used, key=lambda node: (node.lineno, node.col_offset)) is statement.targets[0]
    return name if once and first and not shared and all(node in inside for node in used) else ""


def _reuse(repeated: Repeated, queries: list[Query]) -> Change:
    first, second = _pair(repeated, queries)
    kept = repeated.module.parents[first.call]
    if not (isinstance(kept, ast.Assign) and len(kept.targets) == 1 and isinstance(kept.targets[0], ast.Name)):
        raise Decline(Why.NO_PATTERN, f"{repeated.module.at(first.call)}: the first answer is not kept in a variable")
    between = _between(repeated, kept, second.call)
    name = kept.targets[0].id
    repeated.refuse_unless_same(first, name, [*between], second)
    refuse_warned(repeated.module, kept, second.call)
    edits = Edits(repeated.module)
    edits.replace(second.call, name)
    place = repeated.module.at(second.call)
    return Change(
        recipe=HoistQuery.name,
        title=title(f"Query {first.what} once in {short(repeated.function.name)}"),
        summary=f"Uses `{name}`, which already holds the answer, instead of the equal query at {place}.",
        safety="Both queries are written alike, nothing that they use is assigned between them, and nothing between "
        "them writes to the database or changes the object.",
        edits=file_edits([edits]),
        functions=(repeated.function.name,),
    )


def _pair(repeated: Repeated, queries: list[Query]) -> tuple[Query, Query]:
    alike = [query for query in queries if ast.dump(query.call) == ast.dump(queries[0].call)]
    if len(queries) < 2 or len(alike) < 2:
        raise Decline(
            Why.NO_PATTERN, f"{repeated.function.name} runs the query in no loop and does not repeat it itself"
        )
    if len(alike) > 2 or len(alike) != len(queries):
        raise Decline(Why.AMBIGUOUS, f"{repeated.function.name} runs the query in {len(queries)} places")
    return alike[0], alike[1]


def _between(repeated: Repeated, kept: ast.Assign, second: ast.Call) -> list[ast.stmt]:
    """The statements after the first query up to and with the second's, in the block of the first."""
    block = next(value for _, value in ast.iter_fields(repeated.module.parents[kept])
                 if isinstance(value, list) and kept in value)  # fmt: skip
    outer = [second, *repeated.module.above(second)]
    after = block[block.index(kept) + 1 :]
    last = next((place for place, statement in enumerate(after) if statement in outer), None)
    inside = outer[: outer.index(after[last])] if last is not None else []
    if last is None or any(isinstance(node, (*type_of_function, ast.Lambda)) for node in inside):
        raise Decline(Why.NO_PATTERN, f"{repeated.module.at(second)} may run without the query before it")
    if bound_names(after[: last + 1]) & {kept.targets[0].id if isinstance(kept.targets[0], ast.Name) else ""}:
        raise Decline(Why.NO_PATTERN, f"{repeated.module.at(second)}: the first answer is overwritten")
    found: list[ast.stmt] = after[: last + 1]
    return found
