"""The migrations of an app: the last one, and the text of the next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from burnish.why import Why
from burnish_tools.recipes.source.models import Model
from burnish_tools.recipes.source.repo import Decline, Module, Repository

NAME_LENGTH = 52
"""Django cuts the generated part of a migration's name here."""


def leaf(repository: Repository, models: Module, app: str) -> Module:
    """The app's one migration that no other depends on. Raises Decline where there is not exactly one."""
    folder = _folder(models.path)
    inside = [path[len(folder) :] for path in repository.source.paths(".py") if path.startswith(folder)]
    names = [name for name in inside if "/" not in name and name != "__init__.py"]
    found = {name[:-3]: repository.module(folder + name) for name in names}
    every = {name: module for name, module in found.items() if module and _class(module)}
    if not every or len(every) < sum(map(_numbered, names)):
        raise Decline(Why.NO_PATTERN, f"{folder} holds no migrations that can be read")
    replaced = {name for module in every.values() for name in _names(module, "replaces", app)}
    needed = {name for module in every.values() for name in _names(module, "dependencies", app)}
    needed |= {name for name, module in every.items() if needed & set(_names(module, "replaces", app))}
    ends = sorted(set(every) - replaced - needed)
    if len(ends) != 1:
        raise Decline(Why.AMBIGUOUS, f"{folder} has {len(ends)} last migrations: {', '.join(ends)}")
    return every[ends[0]]


def _folder(path: str) -> str:
    parts = path.split("/")
    base = parts[: parts.index("models")] if "models" in parts[:-1] else parts[:-1]
    return "/".join([*base, "migrations", ""])


def _numbered(name: str) -> bool:
    return re.match(r"\d{4}_", name) is not None


def _class(module: Module) -> ast.ClassDef | None:
    node = module.top.get("Migration")
    return node if isinstance(node, ast.ClassDef) else None


def _names(module: Module, attribute: str, app: str) -> Iterable[str]:
    """Names of the app's migrations in `dependencies` or `replaces`."""
    node = _class(module)
    for each in node.body if node else ():
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == attribute:
            for pair in ast.walk(each.value):
                texts = (
                    [part.value for part in pair.elts if isinstance(part, ast.Constant)]
                    if isinstance(pair, ast.Tuple)
                    else []
                )
                if len(texts) == 2 and texts[0] == app:
                    yield str(texts[1])


def next_path(last: Module, what: str) -> str:
    """Path of the migration after the last one: the next number and what it does, as Django names it."""
    folder, _, name = last.path.rpartition("/")
    number = re.match(r"(\d+)", name)
    following = int(number.group(1)) + 1 if number else 1
    return f"{folder}/{following:04d}_{what.lower()[:NAME_LENGTH]}.py"


def migration(last: Module, model: Model, fields: list[str], index: str, condition: str = "") -> str:
    """The text of a migration that adds one index, with the quotes of the last one; `condition` is that of its `Q`."""
    listed = ", ".join(f'"{each}"' for each in fields)
    held = f"condition=models.Q({condition}), " if condition else ""
    text = f"""from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("{model.app}", "{last.path.rpartition("/")[2][:-3]}"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="{model.name.lower()}",
            index=models.Index({held}fields=[{listed}], name="{index}"),
        ),
    ]
"""
    return text.replace('"', "'") if last.text.count("'") > last.text.count('"') else text
