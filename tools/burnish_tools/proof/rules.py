"""What an edit may not do, read from its text before any of it runs."""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from burnish.job import Change, Check, FileEdit
from burnish.protocols import Source
from burnish.why import Why
from burnish_tools.proof.memo import memory_across_calls

FORBIDDEN_NAMES = re.compile(
    r"^(tests?|testing|settings|manage\.py|wsgi\.py|asgi\.py|setup\.py|noxfile\.py|conftest\.py|sitecustomize\.py"
    r"|usercustomize\.py|test_.*\.py|.*_tests?\.py|tests\.py|settings.*\.py|\..*)$"
)
FORBIDDEN_MODULES = frozenset(
    {"inspect", "ctypes", "gc", "threading", "multiprocessing", "subprocess", "socket", "pickle"}
)
FORBIDDEN_CALLS = frozenset({"_getframe", "settrace", "setprofile", "exec", "eval", "__import__", "import_module"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def rules_check(change: Change, source: Source, max_changed_lines: int, settings_module: str = "") -> Check:
    """The first broken rule, or that there is none."""
    for edit in change.edits:
        if _plain(source.read(edit.path)) != _plain(edit.before):
            return _no(Why.CODE_MOVED_ON, f"{edit.path} is not what the edit was made from.")
        if broken := next(_path_rules(edit, change, settings_module), None):
            return _no(Why.FORBIDDEN_EDIT, f"{edit.path}: {broken}.")
    lines = sum(_changed_lines(e) for e in change.edits if not _is_migration(e.path))
    if lines > max_changed_lines:
        return _no(Why.DIFF_TOO_BIG, f"{lines} lines are added or removed; the limit is {max_changed_lines}.")
    for edit in change.edits:
        if broken := next(_code_rules(edit, change), None):
            return _no(Why.FORBIDDEN_EDIT, f"{edit.path}: {broken}.")
    if lines == 0 and not change.migration:
        return _no(Why.NOT_FASTER, "The edit changes nothing.")
    files = ", ".join(edit.path for edit in change.edits)
    summary = f"{lines} lines changed in {files}; signatures stay, no memo is added."
    return Check(name="rules", passed=True, summary=summary)


def _plain(text: str | None) -> str | None:
    """Edits have plain line ends, whatever the repository has."""
    return text if text is None else text.replace("\r\n", "\n")


def _no(why: Why, summary: str) -> Check:
    return Check(name="rules", passed=False, summary=summary, why=why)


def _path_rules(edit: FileEdit, change: Change, settings_module: str) -> Iterator[str]:
    path = PurePosixPath(edit.path)
    if path.is_absolute() or ".." in path.parts or "\\" in edit.path:
        yield "the path leaves the application root"
    if path.suffix != ".py":
        yield "only Python files may be edited"
    if any(FORBIDDEN_NAMES.match(part) for part in path.parts):
        yield "tests, settings, start-up and tool files may not be edited"
    if settings_module and edit.path == settings_module.replace(".", "/") + ".py":
        yield "the settings may not be edited"
    if _is_migration(edit.path) and not change.migration:
        yield "a migration in a change that says it has none"
    if _is_migration(edit.path) and edit.before is not None:
        yield "an existing migration may not be edited"


def _is_migration(path: str) -> bool:
    return "migrations" in PurePosixPath(path).parts[:-1]


def _changed_lines(edit: FileEdit) -> int:
    lines = difflib.unified_diff((edit.before or "").splitlines(), edit.after.splitlines(), n=0, lineterm="")
    return sum(1 for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---")))


def _code_rules(edit: FileEdit, change: Change) -> Iterator[str]:
    try:
        old, new = ast.parse(edit.before or ""), ast.parse(edit.after)
    except SyntaxError as error:
        yield f"line {error.lineno} does not parse: {error.msg}"
        return
    yield from _signature_rules(old, new)
    yield from _name_rules(edit, old, new, change)
    added = Counter(_uses(new)) - Counter(_uses(old))
    if added:
        yield f"new use of {sorted(added)[0]}"
    if _is_migration(edit.path):
        return
    remembered = Counter(memory_across_calls(new)) - Counter(memory_across_calls(old))
    if remembered:
        yield f"{sorted(remembered)[0]}: a memo across calls without invalidation"


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Qualified name and node of every function outside other functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from functions(node, prefix)


def _signature_rules(old: ast.Module, new: ast.Module) -> Iterator[str]:
    after = dict(functions(new))
    for name, node in functions(old):
        if name not in after:
            yield f"{name} is gone"
        elif _signature(node) != _signature(after[name]):
            yield f"{name} has another signature, decorator or kind than before"


def _signature(node: Function) -> tuple[str, ...]:
    return (type(node).__name__, ast.dump(node.args), *(ast.dump(d) for d in node.decorator_list))


def _name_rules(edit: FileEdit, old: ast.Module, new: ast.Module, change: Change) -> Iterator[str]:
    """Where a change names functions, it touches no other existing one."""
    named = {name.partition(":")[2].split(".<locals>")[0] for name in change.functions}
    if not named:
        return
    after = dict(functions(new))
    for name, node in functions(old):
        touched = name in after and ast.dump(node) != ast.dump(after[name])
        if touched and name not in named:
            yield f"{name} is touched, but the change does not name it"


def _uses(tree: ast.AST) -> Iterator[str]:
    """Each use of something that could look at, or cheat, the one who measures."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            yield node.module or ""
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_CALLS:
            yield node.attr
        elif isinstance(node, ast.Name) and node.id in FORBIDDEN_CALLS:
            yield node.id
