"""Joins the row behind a foreign key, where each row of a loop asks for it with a query of its own."""

from __future__ import annotations

import ast

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.relations import SELECT_RELATED
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.relations import Hit, Search, covered, fetched, refuse_unsafe, written_strings
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.statements import Lookup, lookup
from burnish_tools.recipes.source.wording import plural, short


class SelectRelated(BaseRecipe):
    """Add `select_related` to the query that feeds a loop.

    ## What it does
    Finds the foreign key (or one-to-one field) that the rows of a loop read, directly or in a function, method or
    property that is called with the row, and adds `.select_related("field")` to the queryset that the loop runs over.

    ## Why it is slow
    Django loads the row behind a foreign key when the attribute is first read: one query for each row of the loop.
    A join brings them with the first query.

    ## Example
    ```python
    for product in Product.objects.filter(active=True)[:50]:
        names.append(product.category.name)
    ```
    becomes
    ```python
    for product in Product.objects.filter(active=True).select_related("category")[:50]:
        names.append(product.category.name)
    ```

    ## Fix safety
    The rows, their order and their number stay the same: Django joins with LEFT OUTER JOIN where the key may be null.
    It declines where the loop writes the joined table, locks rows, stops early, or where the queryset yields no model
    instances or leaves fields out.

    ## Known problems
    Each row gets its own instance of the related object, as before, but read at one moment: code that relies on seeing
    another process's write in the middle of the loop would no longer see it. A very wide related table can make the
    join dearer than it saves; the benchmark in the proof decides that.
    """

    name = "select_related"
    kinds = frozenset(("n_plus_one",))
    risk = 1.0
    examples = SELECT_RELATED

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        search = Search(finding, repository, many=False)
        wanted = _lookup(finding, search)
        models = search.models.by_table(wanted.table)
        foreign = not models and wanted.table == "auth_user"
        if not foreign and all(model.pk.column != wanted.column for model in models):
            sentence = f"no model has {wanted.table}.{wanted.column} as primary key"
            raise search.unfit(sentence, Why.RELATION_NOT_FOUND)
        hit = search.hit(wanted.table)
        _refuse(search, hit)
        refuse_unsafe(search, hit, frozenset((wanted.table,)))
        return _describe(hit, fetched(hit, "select_related"))


def _lookup(finding: Finding, search: Search) -> Lookup:
    wanted = lookup(finding.evidence.statement)
    if wanted is None or not wanted.plain or not wanted.limited or wanted.condition_table != wanted.table:
        raise search.unfit("the statement does not read one row by its key")
    return wanted


def _refuse(search: Search, hit: Hit) -> None:
    feed, path = hit.feed, "__".join(hit.read.path)
    partial = feed.step("only", "defer")
    if partial:
        raise Decline(Why.NO_PATTERN, f"{partial.module.at(partial.node)}: .{partial.name}() may leave the key out")
    if hit.read.through_many:
        raise Decline(Why.NO_PATTERN, f"{path} goes through a relation to many rows, which a join would multiply")
    for step in feed.steps:
        if step.name not in ("select_related", "prefetch_related"):
            continue
        written = written_strings(step.node)
        if written is None or (step.name == "select_related" and not written):
            raise Decline(Why.AMBIGUOUS, f"{step.module.at(step.node)}: the arguments of .{step.name}() are not plain")
        if covered(path, written):
            raise Decline(Why.ALREADY_DONE, f"{step.module.at(step.node)} fetches {path} already")
    if feed.relation and feed.per_row:
        _refuse_prefetched(search, feed.relation)


def _refuse_prefetched(search: Search, relation: str) -> None:
    """A chained call on a related manager would bypass a prefetch that somebody wrote elsewhere."""
    for module in search.repository.modules("prefetch_related"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                named = any(isinstance(text, str) and relation in text.split("__") for text in texts)
                if named and node.func.attr == "prefetch_related":
                    raise Decline(
                        Why.FILTERED_RELATION, f"{module.at(node)} prefetches {relation}; a join would undo it"
                    )


def _describe(hit: Hit, edits: Edits) -> Change:
    feed, read = hit.feed, hit.read
    rows, path = plural(feed.model.name), "__".join(read.path)
    target = read.source.fields[read.name].target
    table = target.table if target else read.name
    return Change(
        recipe=SelectRelated.name,
        title=title(f"Fetch {read.name} with {rows} in {short(feed.function.name)}"),
        summary=f'Adds select_related("{path}") to the query for {rows}, so that {table} is joined and not queried '
        f"again for each row of the loop at {hit.loop.function.module.at(hit.loop.iterable)}.",
        safety=f"The join follows the same foreign key that `{'.'.join(read.path)}` reads, so each row gets the same "
        f"object. Filters, order and number of {rows} stay as they are, and nothing in the loop writes {table}.",
        edits=file_edits([edits]),
        functions=(feed.function.name,),
    )
