"""Fetches related rows for all rows of a loop at once, where each row asks for its own."""

from __future__ import annotations

import ast

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.prefetch import PREFETCH_RELATED
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.relations import Hit, Search, covered, fetched, refuse_unsafe, written_strings
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.statements import lookup
from burnish_tools.recipes.source.wording import plural, short


class PrefetchRelated(BaseRecipe):
    """Add `prefetch_related` to the query that feeds a loop.

    ## What it does
    Finds the relation to many rows (`order.lines.all()`, `product.tags.all()`) that the rows of a loop read, directly
    or in a function, method or property that is called with the row, and adds `.prefetch_related("lines")` to the
    queryset that the loop runs over.

    ## Why it is slow
    `.all()` on a related manager is one query for each row of the loop. A prefetch is one query for all of them.

    ## Example
    ```python
    for order in Order.objects.filter(open=True):
        totals.append(sum(line.amount for line in order.lines.all()))
    ```
    becomes
    ```python
    for order in Order.objects.filter(open=True).prefetch_related("lines"):
        totals.append(sum(line.amount for line in order.lines.all()))
    ```

    ## Fix safety
    Only a plain `.all()` is served from the prefetched rows, so it declines where the related rows are filtered,
    ordered, counted or sliced in the loop. It declines where the loop writes the related table, locks rows or stops
    early. The related model's default order is kept.

    ## Known problems
    All related rows are in memory at once. Where the related model has no default order the database never promised
    one, and the prefetch may return another. A nested foreign key (`line.product`) is a finding of its own.
    """

    name = "prefetch_related"
    kinds = frozenset(("n_plus_one",))
    risk = 1.2
    examples = PREFETCH_RELATED

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        wanted = lookup(finding.evidence.statement)
        search = Search(finding, repository, many=True)
        if wanted is None or not wanted.plain:
            raise search.unfit("the statement does not read related rows by one key")
        if wanted.limited:
            raise search.unfit("the statement reads a limited number of rows, which a prefetch cannot")
        if not any(relation.table == wanted.condition_table and relation.column == wanted.column
                   for model in search.models.concrete for relation in model.many.values()):  # fmt: skip
            place = f"{wanted.condition_table}.{wanted.column}"
            raise Decline(Why.RELATION_NOT_FOUND, f"no model has a relation through {place}")
        hit = search.hit(wanted.condition_table, wanted.column)
        _refuse(hit)
        refuse_unsafe(search, hit, frozenset((wanted.table, wanted.condition_table)))
        return _describe(hit, fetched(hit, "prefetch_related"))


def _refuse(hit: Hit) -> None:
    feed, path = hit.feed, "__".join(hit.read.path)
    where, node = hit.read.places[0]
    if hit.read.method != "all":
        raise Decline(Why.FILTERED_RELATION, f"{where.module.at(node)} reads .{hit.read.name}.{hit.read.method}")
    if feed.relation and feed.per_row:
        raise Decline(Why.QUERYSET_NOT_FOUND, f"{feed.function.module.at(feed.anchor)} is itself read for each row")
    streamed = feed.step("iterator")
    if streamed and not _chunked(streamed.node):
        raise Decline(Why.NO_PATTERN, f"{streamed.module.at(streamed.node)}: .iterator() without chunk_size "
                      "cannot be prefetched")  # fmt: skip
    for step in feed.steps:
        if step.name != "prefetch_related":
            continue
        written = written_strings(step.node)
        if written is None or not written:
            raise Decline(
                Why.AMBIGUOUS, f"{step.module.at(step.node)}: the arguments of .prefetch_related() are not plain"
            )
        if covered(path, written):
            raise Decline(Why.ALREADY_DONE, f"{step.module.at(step.node)} fetches {path} already")


def _chunked(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and bool(node.args or any(each.arg == "chunk_size" for each in node.keywords))


def _describe(hit: Hit, edits: Edits) -> Change:
    feed, read = hit.feed, hit.read
    rows, path = plural(feed.model.name), "__".join(read.path)
    table = read.source.many[read.name].target.table
    return Change(
        recipe=PrefetchRelated.name,
        title=title(f"Prefetch {read.name} of {rows} in {short(feed.function.name)}"),
        summary=f'Adds prefetch_related("{path}") to the query for {rows}, so that {table} is read once for all of '
        f"them and not once for each row of the loop at {hit.loop.function.module.at(hit.loop.iterable)}.",
        safety=f"`{'.'.join(read.path)}.all()` is read without a filter and returns the prefetched rows: the same, "
        f"in the default order of the related model. The query for {rows} itself stays as it is, and nothing in the "
        f"loop writes {table}.",
        edits=file_edits([edits]),
        functions=(feed.function.name,),
    )
