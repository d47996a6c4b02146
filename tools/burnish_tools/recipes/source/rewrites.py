"""What edits do to an expression: rewrites of libcst's trees that keep the layout and the comments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from burnish.why import Why
from burnish_tools.recipes.source.repo import Decline

Rewrite = Callable[[cst.BaseExpression], cst.BaseExpression]


def braces(node: cst.BaseExpression) -> cst.BaseExpression:
    if not isinstance(node, (cst.List, cst.ListComp)):
        raise Decline(Why.NO_PATTERN, "only a plain list can become a set")
    left = cst.LeftCurlyBrace(whitespace_after=node.lbracket.whitespace_after)
    right = cst.RightCurlyBrace(whitespace_before=node.rbracket.whitespace_before)
    if isinstance(node, cst.List):
        return cst.Set(elements=node.elements, lbrace=left, rbrace=right, lpar=node.lpar, rpar=node.rpar)
    return cst.SetComp(elt=node.elt, for_in=node.for_in, lbrace=left, rbrace=right, lpar=node.lpar, rpar=node.rpar)


def call_method(method: str, *arguments: str) -> Rewrite:
    """`x` → `x.method(arguments)`; on a line of its own where `x` ends a chain that is written so."""

    def rewrite(node: cst.BaseExpression) -> cst.BaseExpression:
        dot, closing = _next_dot(node)
        return cst.Call(
            func=cst.Attribute(value=node.with_changes(lpar=[], rpar=[]), attr=cst.Name(method), dot=dot),
            args=[cst.Arg(cst.parse_expression(argument)) for argument in arguments],
            lpar=getattr(node, "lpar", []), rpar=closing,
        )  # fmt: skip

    return rewrite


def _next_dot(node: cst.BaseExpression) -> tuple[cst.Dot, Sequence[cst.RightParen]]:
    """The dot for one more call, laid out like the last one, and the brackets without a comment that it takes."""
    closing = list(node.rpar) if hasattr(node, "rpar") else []
    chained = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
    space = (
        cst.ensure_type(cst.ensure_type(node, cst.Call).func, cst.Attribute).dot.whitespace_before if chained else None
    )
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return cst.Dot(), closing
    end = closing[0].whitespace_before if closing else None
    line = end.first_line if isinstance(end, cst.ParenthesizedWhitespace) else cst.TrailingWhitespace()
    if closing and isinstance(end, cst.ParenthesizedWhitespace):
        closing[0] = closing[0].with_changes(whitespace_before=end.with_changes(first_line=cst.TrailingWhitespace()))
    return cst.Dot(whitespace_before=space.with_changes(first_line=line, empty_lines=[])), closing


def add_arguments(*arguments: str) -> Rewrite:
    """`f(a)` → `f(a, b)`, in the layout that the call has."""

    def rewrite(node: cst.BaseExpression) -> cst.BaseExpression:
        call = cst.ensure_type(node, cst.Call)
        new = [cst.Arg(cst.parse_expression(argument)) for argument in arguments]
        if not call.args:
            return call.with_changes(args=new)
        last = call.args[-1]
        trailing = isinstance(last.comma, cst.Comma)
        closing = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else last.whitespace_after_arg
        between, closing = _spaces(call.whitespace_before_args, closing)
        items = [*call.args[:-1], last.with_changes(whitespace_after_arg=cst.SimpleWhitespace("")), *new]
        items = [*items[: -len(new) - 1], *(item.with_changes(comma=between) for item in items[-len(new) - 1 :])]
        end = items[-1].with_changes(comma=cst.Comma(whitespace_after=closing)) if trailing else items[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=closing)  # fmt: skip
        return call.with_changes(args=[*items[:-1], end])

    return rewrite


def only_argument(node: cst.BaseExpression) -> cst.BaseExpression:
    """`f(a)` → `a`, in brackets where it was written over several lines or as a tuple."""
    call = cst.ensure_type(node, cst.Call)
    value = call.args[0].value
    several = isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)
    if (several or call.lpar) and not getattr(value, "lpar", [True]):
        left = cst.LeftParen(whitespace_after=call.whitespace_before_args)
        return value.with_changes(lpar=[left], rpar=[cst.RightParen(whitespace_before=_space_behind(call.args[0]))])
    return value


def _space_behind(argument: cst.Arg) -> cst.BaseParenthesizableWhitespace:
    comma = argument.comma
    return comma.whitespace_after if isinstance(comma, cst.Comma) else argument.whitespace_after_arg


def drop_arguments(places: Sequence[int]) -> Rewrite:
    """Takes the arguments at these places away: `f(a, b, c)` without 0 → `f(b, c)`."""

    def rewrite(node: cst.BaseExpression) -> cst.BaseExpression:
        call = cst.ensure_type(node, cst.Call)
        kept = [argument for place, argument in enumerate(call.args) if place not in places]
        dropped_end = bool(kept) and len(call.args) - 1 in places
        if dropped_end:
            kept[-1] = kept[-1].with_changes(comma=call.args[-1].comma)
        return call.with_changes(args=kept)

    return rewrite


def add_element(element: str) -> Rewrite:
    """`[a]` → `[a, b]`, for a list or tuple in brackets, in the layout that it has."""

    def rewrite(node: cst.BaseExpression) -> cst.BaseExpression:
        new = cst.Element(cst.parse_expression(element))
        if isinstance(node, cst.List):
            if not node.elements:
                return node.with_changes(elements=[new])
            between, closing = _spaces(node.lbracket.whitespace_after, node.rbracket.whitespace_before)
            last = node.elements[-1]
            end = new.with_changes(
                comma=cst.Comma() if isinstance(last.comma, cst.Comma) else cst.MaybeSentinel.DEFAULT
            )
            return node.with_changes(
                elements=[*node.elements[:-1], last.with_changes(comma=between), end],
                rbracket=node.rbracket.with_changes(whitespace_before=closing),
            )
        raise Decline(Why.NO_PATTERN, "only a plain list can be extended")

    return rewrite


def _spaces(
    opening: cst.BaseParenthesizableWhitespace, closing: cst.BaseParenthesizableWhitespace
) -> tuple[cst.Comma, cst.BaseParenthesizableWhitespace]:
    """The comma before a new last item and the space after it; a comment behind the old last item stays with that."""
    if not isinstance(opening, cst.ParenthesizedWhitespace):
        return cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")), closing
    line = cst.TrailingWhitespace()
    if isinstance(closing, cst.ParenthesizedWhitespace):
        line, closing = closing.first_line, closing.with_changes(first_line=line)
    return cst.Comma(whitespace_after=opening.with_changes(first_line=line, empty_lines=[])), closing
