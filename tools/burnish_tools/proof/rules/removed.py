"""Rule `removed`: logging, metrics, signals, checks, locks and errors stay.

They cost time and no test looks at them, so leaving them out is the easiest speed-up there is. An honest edit may move
such a call, for instance out of a loop together with what it tells, but never drops the last one of its kind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, Thing, calls, lost

RULE = "removed"
TELLS = re.compile(
    r"(^|\.)_?(log(ger|ging)?|LOG(GER)?|audit\w*|metrics?|statsd|stats|tracer|span|telemetry|sentry_sdk|signals?|events?"
    r"|messages|monitor\w*|history)\.\w+$"
)
TELLING = re.compile(
    r"(^|\.)_?(emit\w*|notify\w*|publish\w*|dispatch|audit\w*|log_\w+|track\w*|record_\w+|send_\w+|send|capture_\w+|incr"
    r"|increment|observe|inc|gauge|timing|warn|print|add_event|set_attribute|on_\w+|write_audit\w*)$"
)
GUARDS = re.compile(
    r"(^|\.)_?(atomic|select_for_update|with_for_update|acquire|begin|begin_nested|full_clean|clean|has_perms?"
    r"|has_\w*permission|require\w*|validate\w*|verify\w*|ensure\w*|authori[sz]e\w*|sanitize\w*|escape|check_\w+"
    r"|assert_\w+|raise_for_status|refresh_from_db|expire_all|flush|commit|rollback)$"
)


def removed_rules(sides: Sides) -> Iterator[Broken]:
    """What the new side no longer does for others: telling, guarding, raising, catching."""
    for thing in lost(_calls(sides.old), _calls(sides.new)):
        yield Broken(RULE, f"{thing.text} is no longer called", thing.line, gone=True)
    for thing in lost(_raised(sides.old), _raised(sides.new)):
        yield Broken(RULE, f"{thing.text} is gone", thing.line, gone=True)
    for thing in lost(_written(sides.old), _written(sides.new)):
        yield Broken(RULE, f"the write to {thing.text} is gone", thing.line, gone=True)


def _calls(tree: ast.AST) -> Iterator[Thing]:
    for name, call in calls(tree):
        if TELLS.search(name) or TELLING.search(name) or GUARDS.search(name):
            yield Thing(name, call.lineno)


def _raised(tree: ast.AST) -> Iterator[Thing]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            yield Thing(f"raise {ast.unparse(error)}" if error is not None else "raise", node.lineno)
        elif isinstance(node, ast.Assert):
            yield Thing("assert", node.lineno)


def _written(tree: ast.AST) -> Iterator[Thing]:
    """Header, cookie or session of a response or request, told by its key."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            text = ast.unparse(node)
            if re.search(r"response|headers|session|cookies", text, re.I):
                yield Thing(text, node.lineno)
