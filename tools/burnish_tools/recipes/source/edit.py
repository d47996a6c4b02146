"""Edits of one file. Places come from `ast` (cheap to analyse with); libcst rewrites them, so that comments stay.

Only the top-level statements with an edit are parsed by libcst and spliced back between the other lines, which stay as
they are to the byte: in a file of 5,000 lines that is one function instead of all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from burnish.why import Why
from burnish_tools.recipes.source.repo import Decline, Module
from burnish_tools.recipes.source.rewrites import Rewrite, braces

Place = tuple[int, int, int, int]
Restate = Callable[[cst.BaseSmallStatement], cst.BaseSmallStatement]
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


class Edits:
    """Edits planned for one module; `text` makes them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._expressions: dict[Place, list[Rewrite]] = {}
        self._small: dict[Place, Restate] = {}
        self._before: dict[tuple[int, int], list[str]] = {}
        self._after: dict[tuple[int, int], list[str]] = {}
        self._guards: dict[tuple[int, int], str] = {}
        self._spaced: set[tuple[int, int]] = set()
        self._spaced_before: set[tuple[int, int]] = set()
        self._removed: set[tuple[int, int]] = set()

    def change(self, node: ast.expr, rewrite: Rewrite) -> None:
        """Rewrites an expression."""
        self._expressions.setdefault(self._place(node), []).append(rewrite)

    def rewrite(self, statement: ast.stmt, rewrite: Restate) -> None:
        """Rewrites a statement of one line, `x += 1`, and leaves the space and the comments around it."""
        self._small.setdefault(self._place(statement), rewrite)

    def replace(self, node: ast.expr, code: str) -> None:
        """Puts other code in the place of an expression."""
        self.change(node, lambda _: cst.parse_expression(code))

    def braces(self, node: ast.expr) -> None:
        """A list (comprehension) becomes a set (comprehension): only the brackets change."""
        self.change(node, braces)

    def before(self, statement: ast.stmt, code: str, *, blank_line: bool = False) -> None:
        """Puts statements before one (with a blank line between); comments above it stay with it."""
        start = self._place(statement)[:2]
        self._before.setdefault(start, []).append(code)
        if blank_line:
            self._spaced_before.add(start)

    def after(self, statement: ast.stmt, code: str, *, blank_line: bool = False) -> None:
        """Puts statements after one."""
        start = self._place(statement)[:2]
        self._after.setdefault(start, []).append(code)
        if blank_line:
            self._spaced.add(start)

    def guard(self, statement: ast.stmt, test: str) -> None:
        """`x = 1` → `if test: x = 1`, over two lines; comments above stay above."""
        self._guards[self._place(statement)[:2]] = test

    def remove(self, statement: ast.stmt, *, comment_kept: bool = False) -> None:
        """Takes a statement out, one on lines of its own. Raises Decline where a comment would go with it, unless the
        caller puts `trailing(statement)` elsewhere."""
        module, last = self.module, statement.end_lineno or statement.lineno
        above = module.lines[statement.lineno - 2].lstrip() if statement.lineno > 1 else ""
        first, *rest = module.lines[statement.lineno - 1 : last]
        tail = self.trailing(statement)
        alone = not first.encode()[: statement.col_offset].strip() and (not tail or tail.startswith("#"))
        lost = above.startswith("#") or any("#" in line for line in [first, *rest][:-1]) or (tail and not comment_kept)
        if lost or not alone:
            raise Decline(Why.NO_PATTERN, f"{module.at(statement)}: a comment belongs to a statement that would go")
        self._removed.add(self._place(statement)[:2])

    def trailing(self, statement: ast.stmt) -> str:
        """What stands behind a statement in its last line, a comment most often."""
        line = self.module.lines[(statement.end_lineno or statement.lineno) - 1]
        return line.encode()[statement.end_col_offset or 0 :].decode().strip()

    def text(self) -> str:
        """The new text. Raises Decline where a place is not found again or the result is no valid Python."""
        raw, left = self.module.raw_lines, self._places()
        out: list[str] = []
        done = 0
        for first, last in _blocks(self.module.tree.body):
            here = {place for place in left if first <= place[0] <= last}
            if here and here <= self._removed:
                out += raw[done : min(here)[0] - 1]
                done = _next_text(raw, last) if not "".join(out).strip() else last
                left -= here
            elif here:
                out += ["".join(raw[done : first - 1]), self._rewritten("".join(raw[first - 1 : last]), first, left)]
                done = last
        if left:
            lines = ", ".join(str(place[0]) for place in sorted(left))
            raise Decline(Why.NO_PATTERN, f"{self.module.path}: lines {lines} have a form that cannot be edited")
        return "".join([*out, *raw[done:]])

    def _places(self) -> set[tuple[int, ...]]:
        return {*self._expressions, *self._small, *self._before, *self._after, *self._guards, *self._removed}

    def _rewritten(self, text: str, first: int, left: set[tuple[int, ...]]) -> str:
        """Top-level statements from line `first` with their edits, whose places are taken out of `left`."""
        # A statement in front keeps libcst from taking a comment above the first one for the header of the file.
        lead = "" if first == 1 else "pass" + self.module.newline
        try:
            wrapper = MetadataWrapper(cst.parse_module(lead + text), unsafe_skip_copy=True)
        except cst.ParserSyntaxError as error:
            raise Decline(Why.NO_PATTERN, f"{self.module.path} cannot be read by libcst: {error.message}") from error
        rewriter = _Rewriter(self, wrapper.module, first, left)
        after = wrapper.visit(rewriter).code[len(lead) :]
        try:
            ast.parse(after)
        except SyntaxError as error:
            raise Decline(Why.NO_PATTERN, f"{self.module.path}: the edit would not parse ({error.msg})") from error
        return after

    def _place(self, node: ast.expr | ast.stmt) -> Place:
        """Lines from 1, columns in characters (`ast` counts bytes)."""
        last_line, last_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return (node.lineno, self._column(node.lineno, node.col_offset),
                last_line, self._column(last_line, last_column))  # fmt: skip

    def _column(self, line: int, offset: int) -> int:
        return len(self.module.lines[line - 1].encode()[:offset].decode())


def _blocks(body: Sequence[ast.stmt]) -> Iterator[tuple[int, int]]:
    """First and last line of each top-level statement, with what stands above it; those that share a line are one."""
    start = end = 1
    for place, node in enumerate(body):
        end = node.end_lineno or node.lineno
        if place + 1 == len(body) or _first_line(body[place + 1]) > end:
            yield start, end
            start = end + 1


def _next_text(raw: Sequence[str], line: int) -> int:
    """Lines up to the next that is not blank: a file does not begin with blank lines."""
    return next((place for place in range(line, len(raw)) if raw[place].strip()), line)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


class _Rewriter(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, edits: Edits, module: cst.Module, first: int, left: set[tuple[int, ...]]) -> None:
        super().__init__()
        self.edits, self.module = edits, module
        self.lead = int(first > 1)
        self.lines_before = first - 1 - self.lead
        self.left = left

    def on_leave(self, original_node: cst.CSTNode, updated_node: object) -> object:  # type: ignore[override]
        node = super().on_leave(original_node, cast(cst.CSTNode, updated_node))
        if isinstance(node, cst.BaseExpression):
            return self._expression(original_node, node)
        if isinstance(node, cst.BaseSmallStatement) and (place := self._place(original_node)) in self.edits._small:
            self.left.discard(place)
            return self.edits._small[place](node)
        if isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            return self._statement(original_node, node)
        return node

    def _expression(self, original: cst.CSTNode, node: cst.BaseExpression) -> cst.BaseExpression:
        place = self._place(original)
        for rewrite in self.edits._expressions.get(place, ()):
            node = rewrite(node)
            self.left.discard(place)
        return node

    def _statement(
        self, original: cst.CSTNode, node: Statement
    ) -> Statement | cst.FlattenSentinel[Statement] | cst.RemovalSentinel:
        start = self._place(original)[:2]
        if start in self.edits._removed:
            self.left.discard(start)
            return cst.RemovalSentinel.REMOVE
        before = self._parsed(self.edits._before.get(start, ()))
        after = self._parsed(self.edits._after.get(start, ()))
        if start in self.edits._guards:
            node = _guarded(node, self.edits._guards[start])
        elif not before and not after:
            return node
        self.left.discard(start)
        if before:
            blank, kept = _split(node.leading_lines)
            before[0] = before[0].with_changes(leading_lines=[*blank, *before[0].leading_lines])
            if start in self.edits._spaced_before:
                kept = [cst.EmptyLine(indent=False), *kept]
            node = node.with_changes(leading_lines=kept)
        if after and start in self.edits._spaced:
            after[0] = after[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        return cst.FlattenSentinel([*before, node, *after])

    def _parsed(self, codes: Sequence[str]) -> list[Statement]:
        parsed = [cst.parse_module(code, config=self.module.config_for_parsing).body for code in codes]
        return [statement for body in parsed for statement in body]

    def _place(self, node: cst.CSTNode) -> Place:
        where = self.get_metadata(PositionProvider, node)
        more = self.lines_before if where.start.line > self.lead else -where.start.line  # the lead is no line of it
        return (where.start.line + more, where.start.column, where.end.line + more, where.end.column)


def _guarded(node: Statement, test: str) -> cst.If:
    block = cst.IndentedBlock([node.with_changes(leading_lines=[])])
    return cst.If(test=cst.parse_expression(test), body=block, leading_lines=node.leading_lines)


def _split(lines: Sequence[cst.EmptyLine]) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """Blank lines at the top, and the rest from the first comment on."""
    first = next((place for place, line in enumerate(lines) if line.comment), len(lines))
    return list(lines[:first]), list(lines[first:])
