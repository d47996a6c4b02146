"""Rule `files`: which files a fix may touch at all.

Tests, CI, settings, benchmarks, start-up code and the packaging judge the edit or run before it: an edit to them can
make any claim come true. A fix needs none of them: it changes the code that production measured, and at most adds a
migration that its change declares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from burnish.job import Change, FileEdit
from burnish_tools.proof.rules.text import Broken, Sides, calls

FORBIDDEN_NAMES = re.compile(
    r"^(tests?|testing|benchmarks?|settings|manage\.py|wsgi\.py|asgi\.py|apps\.py|setup\.py|noxfile\.py|conftest\.py"
    r"|sitecustomize\.py|usercustomize\.py|test_.*\.py|.*_tests?\.py|tests\.py|bench_.*\.py|.*_bench(mark)?s?\.py"
    r"|settings.*\.py|gunicorn.*\.py|\..*)$"
)
RULE = "files"
UNSAFE_OPERATIONS = re.compile(
    r"(^|\.)(RunPython|RunSQL|(Remove|Delete|Rename|Alter)(?!Index)\w+|SeparateDatabase\w+)$"
)


def path_rules(edit: FileEdit, change: Change, settings_module: str) -> Iterator[Broken]:
    """What can be said from the path alone."""
    path = PurePosixPath(edit.path)
    if path.is_absolute() or ".." in path.parts or "\\" in edit.path:
        yield Broken(RULE, "the path leaves the application root")
    if any(FORBIDDEN_NAMES.match(part) for part in path.parts):
        yield Broken(RULE, "tests, benchmarks, settings, start-up and tool files may not be edited")
    if path.suffix != ".py":
        yield Broken(RULE, "only Python files may be edited")
    if settings_module and edit.path == settings_module.replace(".", "/") + ".py":
        yield Broken(RULE, "the settings may not be edited")
    if is_migration(edit.path) and not change.migration:
        yield Broken(RULE, "a migration in a change that says it has none")
    if is_migration(edit.path) and edit.before is not None:
        yield Broken(RULE, "an existing migration may not be edited")


def is_migration(path: str) -> bool:
    """A file in a folder of migrations."""
    return "migrations" in PurePosixPath(path).parts[:-1]


def migration_rules(sides: Sides) -> Iterator[Broken]:
    """A migration of a fix adds indexes; one that runs code or alters columns changes the data it is judged on."""
    for name, call in calls(sides.new):
        if UNSAFE_OPERATIONS.search(name):
            yield Broken(RULE, f"a migration that does more than add an index: {ast.unparse(call.func)}", call.lineno)
