"""Rule `introspection`: no look at who is asking.

Code that can tell a test, a replay or a benchmark from production can behave well there only. So an edit may not begin
to read the environment, the interpreter's own state, frames, names of tools that measure, or the clock. An honest
optimization works the same whoever calls it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, Thing, added, docstrings

RULE = "introspection"
MODULES = frozenset(
    {"inspect", "ctypes", "gc", "subprocess", "socket", "pickle", "marshal", "traceback", "tracemalloc", "faulthandler"}
    | {"platform", "resource", "psutil", "importlib", "pkgutil", "runpy", "unittest", "pytest", "_pytest", "site"}
    | {"cProfile", "profile", "pstats", "timeit", "dis", "code", "atexit", "signal", "cffi", "pty"}
)
NAMES = frozenset(
    {"_getframe", "_current_frames", "settrace", "setprofile", "exec", "eval", "compile_command", "__import__"}
    | {"import_module", "environ", "environb", "getenv", "argv", "orig_argv", "modules", "getpid", "getppid"}
    | {"globals", "locals", "vars", "__dict__", "__globals__", "__closure__", "__code__", "__wrapped__", "__func__"}
    | {
        "__builtins__",
        "__subclasses__",
        "__mro__",
        "__self__",
        "__defaults__",
        "__kwdefaults__",
        "__file__",
        "__spec__",
    }
    | {"excepthook", "meta_path", "path_hooks", "get_referrers", "get_objects", "get_referents", "mock", "Mock"}
)
STATE = frozenset({"connection", "connections", "settings", "is_overridden", "get_connection", "current_app"})
"""What a framework knows of its process."""
CLOCKS = frozenset({"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "thread_time"})
CLOCK_CALL = re.compile(r"^(time\.time(_ns)?|(\w+\.)*(utcnow|now|today)|time\.sleep|sleep)$")
HARNESS = re.compile(r"pytest|unittest|burnish|harness|benchmark|testserver|test_?client|locust|gunicorn_test", re.I)


def introspection_rules(sides: Sides) -> Iterator[Broken]:
    """Each new use of something that could tell, or cheat, the one who measures."""
    for thing in added(_uses(sides.old), _uses(sides.new)):
        yield Broken(RULE, f"new use of {thing.text}, which can tell or cheat the one who measures", thing.line)
    for thing in added(_clocks(sides.old), _clocks(sides.new)):
        yield Broken(RULE, f"new reading of the clock, {thing.text}: no speed-up needs one", thing.line)
    for thing in added(_tools(sides.old), _tools(sides.new)):
        yield Broken(RULE, f"new mention of {thing.text}, a thing of tests and measurements", thing.line)


def _uses(tree: ast.AST) -> Iterator[Thing]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Thing(a.name, node.lineno) for a in node.names if a.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or ""] if (node.module or "").partition(".")[0] in MODULES else []
            imported += [a.name for a in node.names if a.name in NAMES | CLOCKS | STATE]
            yield from (Thing(name, node.lineno) for name in imported)
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield Thing(node.attr, node.end_lineno or node.lineno)
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield Thing(node.id, node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES:
            yield Thing(node.value, node.lineno)


def _clocks(tree: ast.AST) -> Iterator[Thing]:
    """Calls; a reading that moves keeps its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            if CLOCK_CALL.match(text) or text.rpartition(".")[2] in CLOCKS:
                yield Thing(text, node.lineno)


def _tools(tree: ast.AST) -> Iterator[Thing]:
    """Names and texts, but not docstrings."""
    told = docstrings(tree)
    for node in ast.walk(tree):
        texts = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            texts = [node.value]
        elif isinstance(node, ast.Name):
            texts = [node.id]
        elif isinstance(node, ast.Attribute):
            texts = [node.attr]
        found = (match for text in texts if (match := HARNESS.search(text)))
        yield from (Thing(match[0], getattr(node, "lineno", 0)) for match in found)
