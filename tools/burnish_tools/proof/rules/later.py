"""Rule `later`: the work stays where the caller waits for it.

Work that is handed to a thread, a process, a queue or a callback leaves the measured time but not the machine, and its
errors and its order are lost. A speed-up does less; it does not do it elsewhere. Tasks of an `async with` group and
`gather` are awaited where they stand, and stay allowed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, Thing, added, calls

RULE = "later"
MODULES = frozenset(
    {"threading", "_thread", "multiprocessing", "concurrent", "queue", "sched", "celery", "dramatiq", "rq", "huey"}
    | {"apscheduler", "gevent", "eventlet", "weakref", "trio_parallel", "joblib"}
)
CALLS = frozenset(
    {"create_task", "ensure_future", "run_in_executor", "to_thread", "run_coroutine_threadsafe", "call_soon"}
    | {"call_soon_threadsafe", "call_later", "call_at", "add_done_callback", "on_commit", "submit", "apply_async"}
    | {"delay", "send_task", "enqueue", "finalize", "register_at_fork", "fork", "spawn", "popen", "Popen", "Thread"}
    | {"Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "Pool", "Process", "add_task", "start_new_thread"}
    | {"sync_to_async", "async_to_sync", "start_soon", "add_callback", "after_this_request", "setitimer", "alarm"}
)


def later_rules(sides: Sides) -> Iterator[Broken]:
    """Each new import or call that runs something elsewhere or afterwards."""
    for thing in added(_imports(sides.old), _imports(sides.new)):
        yield Broken(RULE, f"new use of {thing.text}: work is moved to another thread, process or time", thing.line)
    for thing in added(_handed_over(sides.old), _handed_over(sides.new)):
        yield Broken(RULE, f"new call of {thing.text}: work is moved to another thread or time", thing.line)


def _imports(tree: ast.AST) -> Iterator[Thing]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [node.module or ""]
        else:
            continue
        yield from (Thing(name, node.lineno) for name in found if name.partition(".")[0] in MODULES)


def _handed_over(tree: ast.AST) -> Iterator[Thing]:
    groups = _groups(tree)
    for name, call in calls(tree):
        receiver, _, last = name.rpartition(".")
        if last in CALLS and receiver not in groups:
            yield Thing(name, call.lineno)


def _groups(tree: ast.AST) -> set[str]:
    """Names bound by `async with …TaskGroup() as NAME`: the block waits for all its tasks."""
    items = (item for node in ast.walk(tree) if isinstance(node, ast.AsyncWith) for item in node.items)
    return {i.optional_vars.id for i in items if isinstance(i.optional_vars, ast.Name) and "Group" in ast.dump(i)}
