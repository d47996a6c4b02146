"""Asks independent services at the same time, where a coroutine waits for one after the other."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, fitting, title
from burnish_tools.recipes.examples.gather import GATHER
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, find, refuse_warned
from burnish_tools.recipes.source.http_clients import client, local_client
from burnish_tools.recipes.source.imports import reach
from burnish_tools.recipes.source.names import refuse_shared
from burnish_tools.recipes.source.repo import Decline, Repository, type_of_function
from burnish_tools.recipes.source.wording import short

READS = frozenset(("get", "head", "options"))
REQUEST_OPTIONS = frozenset(("params", "headers", "timeout", "follow_redirects", "allow_redirects"))


class Gather(BaseRecipe):
    """Wait for independent answers at the same time.

    ## What it does
    Statements one after the other that each await a GET, HEAD or OPTIONS of *different* HTTP clients (`httpx`,
    `aiohttp`) become one `asyncio.gather(…)`.

    ## Why it is slow
    The second question is sent when the first is answered: the coroutine waits for the sum of the answers instead of
    the longest.

    ## Example
    ```python
    price = await prices.get(f"/price/{sku}")
    stock = await stocks.get(f"/stock/{sku}")
    ```
    becomes
    ```python
    price, stock = await asyncio.gather(
        prices.get(f"/price/{sku}"),
        stocks.get(f"/stock/{sku}"),
    )
    ```

    ## Fix safety
    It acts only where both clients are made in this repository by calls of their own that share nothing (no jar of
    cookies, connector, transport or credentials), where each question only reads and needs no other's answer, and
    where no `try` or `with` around looks at errors. A database's session or connection is never asked twice at a time:
    those are not known here at all.

    ## Known problems
    Where one question fails, the others are already on their way: they are answered and nobody looks. Where two fail,
    the error that comes first in time is raised and not the one that stands first. The other services see more
    requests at a time. What an argument refers to is read when all are sent, not after the answer before.
    """

    name = "gather"
    kinds = frozenset(("sequential_calls",))
    risk = 2.5
    examples = GATHER
    needles = ("await ",)

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        runs = _runs(function) if isinstance(function.node, ast.AsyncFunctionDef) else []
        nothing = f"{function.name} awaits no two questions one right after the other"
        fit = fitting(runs, lambda run: _independent(function, repository, run), nothing)
        return _describe(function, fit)


@dataclass(frozen=True)
class _Question:
    """`name = await client.get(…)`"""

    statement: ast.Assign
    target: ast.Name
    call: ast.Call
    receiver: ast.expr
    method: str


def _question(statement: ast.stmt) -> _Question | None:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Await):
        return None
    call = statement.value.value
    if len(statement.targets) != 1 or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    target = statement.targets[0]
    return _Question(statement, target, call, call.func.value, call.func.attr) if isinstance(target, ast.Name) else None


def _runs(function: Function) -> list[list[_Question]]:
    """Questions that stand right after each other, two or more."""
    runs: list[list[_Question]] = []
    for node in [function.node, *function.nodes()]:
        for _, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                runs += _runs_of(block)
    return [run for run in runs if len(run) > 1 and _is_own(function, run[0].statement)]


def _is_own(function: Function, statement: ast.stmt) -> bool:
    inner = (*type_of_function, ast.Lambda)
    return next(node for node in function.module.above(statement) if isinstance(node, inner)) is function.node


def _runs_of(block: Sequence[ast.stmt]) -> list[list[_Question]]:
    runs: list[list[_Question]] = [[]]
    for statement in block:
        question = _question(statement)
        if question is None:
            runs.append([])
        else:
            runs[-1].append(question)
    return runs


def _independent(function: Function, repository: Repository, run: list[_Question]) -> list[_Question]:
    """The run. Raises Decline unless its questions certainly have nothing to do with each other."""
    module = function.module
    made: dict[ast.Call, ast.expr] = {}
    names = [question.target.id for question in run]
    if len(set(names)) < len(names):
        raise Decline(Why.AMBIGUOUS, f"{module.at(run[-1].statement)} assigns a name that the one above assigns")
    for question in run:
        _refuse_question(function, question, names)
        one = client(function, repository, question.receiver)
        if one is None:
            what = module.segment(question.receiver)
            raise Decline(
                Why.AMBIGUOUS, f"{module.at(question.call)}: {what} is not certainly an HTTP client of its own"
            )
        if one in made:
            raise Decline(Why.AMBIGUOUS, f"{module.at(question.call)}: the same client is asked twice, and what the "
                          "first answer sets (cookies) may belong to the second question")  # fmt: skip
        made[one] = question.receiver
    _refuse_watched(function, run[0])
    refuse_warned(module, *(question.statement for question in run))
    return run


def _refuse_question(function: Function, question: _Question, names: Sequence[str]) -> None:
    module, place = function.module, function.module.at(question.call)
    refuse_shared(function, question.target.id)
    if question.method not in READS:
        raise Decline(Why.AMBIGUOUS, f"{place}: {question.method}() may change something: the order is meant")
    if any(each.arg not in REQUEST_OPTIONS for each in question.call.keywords):
        raise Decline(Why.AMBIGUOUS, f"{place} gives more than what is asked for")
    for given in [*question.call.args, *(each.value for each in question.call.keywords)]:
        if not _is_settled(given):
            raise Decline(
                Why.AMBIGUOUS, f"{place}: `{module.segment(given)}` may change while another answer is awaited"
            )
    used = {node.id for node in ast.walk(question.call) if isinstance(node, ast.Name)}
    if used & set(names):
        raise Decline(Why.NOT_INVARIANT, f"{place} needs {', '.join(sorted(used & set(names)))}, the answer to another")


def _is_settled(node: ast.expr) -> bool:
    """Locals and literals, and texts and collections made of such."""
    plain = (ast.Constant, ast.Name, ast.JoinedStr, ast.FormattedValue, ast.Dict, ast.List, ast.Tuple, ast.expr_context)
    return all(isinstance(each, plain) for each in ast.walk(node))


def _refuse_watched(function: Function, first: _Question) -> None:
    """Raises Decline where something around sees an error before it leaves the function."""
    module = function.module
    for outer in module.above(first.statement):
        if outer is function.node:
            return
        if getattr(outer, "handlers", []):
            raise Decline(Why.AMBIGUOUS, f"{module.at(outer)} looks at errors, and which comes first would change")
        if isinstance(outer, ast.With) or (isinstance(outer, ast.AsyncWith) and not _of_clients(function, outer)):
            raise Decline(Why.AMBIGUOUS, f"{module.at(outer)} may look at errors, and which comes first would change")


def _of_clients(function: Function, node: ast.AsyncWith) -> bool:
    named = [item.optional_vars for item in node.items]
    return all(isinstance(name, ast.Name) and local_client(function, name.id) is not None for name in named)


def _describe(function: Function, runs: list[list[_Question]]) -> Change:
    edits = Edits(function.module)
    gather = f"{reach(edits, 'asyncio')}.gather"
    for run in runs:
        _together(function, run, edits, gather)
    asked = ", ".join(question.target.id for run in runs for question in run)
    return Change(
        recipe=Gather.name,
        title=title(f"Wait for {asked} at the same time in {short(function.name)}"),
        summary=f"Sends the questions for {asked} at the same time and waits for all of them, instead of one after the "
        "other.",
        safety="Each question only reads, none needs another's answer, and each goes through a client of its own that "
        "shares nothing with the others.",
        edits=file_edits([edits]),
        functions=(function.name,),
    )


def _together(function: Function, run: Sequence[_Question], edits: Edits, gather: str) -> None:
    first = run[0].statement
    step = "\t" if function.module.lines[first.lineno - 1].startswith("\t") else "    "
    names = ", ".join(question.target.id for question in run)
    lines = "".join(f"{step}{_line(edits, question, first)}\n" for question in run)
    code = f"{names} = await {gather}(\n{lines})"
    parsed = cst.ensure_type(cst.parse_statement(code), cst.SimpleStatementLine).body[0]
    edits.rewrite(first, lambda _: parsed)
    for question in run[1:]:
        edits.remove(question.statement, comment_kept=True)


def _line(edits: Edits, question: _Question, first: ast.Assign) -> str:
    """The question as an argument, with the comment that stood behind it."""
    tail = "" if question.statement is first else edits.trailing(question.statement)
    return f"{edits.module.segment(question.call)},  {tail}".rstrip()
