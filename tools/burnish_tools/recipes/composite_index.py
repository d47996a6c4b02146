"""Adds the index that a statement would use, to the model and as a migration."""

from __future__ import annotations

import ast
import hashlib
import re

from burnish.finding import Finding
from burnish.job import Change, FileEdit
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.index import COMPOSITE_INDEX
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import refuse_warned
from burnish_tools.recipes.source.migrations import leaf, migration, next_path
from burnish_tools.recipes.source.models import Field, Model, Models, meta_class
from burnish_tools.recipes.source.repo import Decline, Module, Repository, type_of_function
from burnish_tools.recipes.source.rewrites import add_element
from burnish_tools.recipes.source.wording import quoted

NAME_LENGTH = 30
"""Django refuses longer index names (models.E034)."""


class CompositeIndex(BaseRecipe):
    """Add a composite index to a model.

    ## What it does
    Adds `models.Index(fields=[…])` for the columns of the finding to the model's `Meta.indexes`, and the migration
    that `makemigrations` would write for it. Where the finding names the rows that matter (`deleted_at IS NULL`), the
    index has a `condition` and holds only these.

    ## Why it is slow
    Without an index that begins with the columns of the condition, the database reads the whole table (or sorts what
    it found) on each execution.

    ## Example
    ```python
    class Movement(models.Model):
        sku = models.CharField(max_length=20)
        at = models.DateTimeField()
    ```
    becomes
    ```python
    class Movement(models.Model):
        sku = models.CharField(max_length=20)
        at = models.DateTimeField()

        class Meta:
            indexes = [
                models.Index(fields=["sku", "-at"], name="movement_sku_at_5d2f_idx"),
            ]
    ```

    ## Fix safety
    An index changes no result, only how it is found. It declines where an index, a unique constraint or a key begins
    with the same columns. The order of rows that a statement does not sort may change, as it may on any other day.

    ## Known problems
    Every write to the table becomes dearer. A plain `AddIndex` locks a PostgreSQL table against writes while it is
    built; for a large table use `AddIndexConcurrently` in a migration with `atomic = False` instead.
    """

    name = "composite_index"
    kinds = frozenset(("missing_index",))
    risk = 2.0
    examples = COMPOSITE_INDEX

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        models = repository.once(Models)
        model, module, node = _model(models, finding.evidence.table)
        fields = _fields(model, finding.evidence.columns)
        where = finding.evidence.index_where
        condition = _condition(model, where)
        if not where:
            _refuse_covered(model, fields)
        name = _name(model, fields, where)
        refuse_warned(module, node, meta_class(node) or node)
        edits = Edits(module)
        prefix = _prefix(module, node)
        words = ", ".join(quoted(module, each) for each in fields)
        held = f", condition={_prefix_of_q(module)}Q({condition})" if where else ""
        index = f"{prefix}Index(fields=[{words}], name={quoted(module, name)}{held})"
        _add(module, node, model, index, edits)
        last = leaf(repository, module, model.app)
        path = next_path(last, name)
        text = migration(last, model, fields, name, condition)
        shown = ", ".join(fields)
        only = f" for the rows with {where}" if where else ""
        return Change(
            recipe=self.name,
            title=title(f"Add an index on {model.name} ({shown})"),
            summary=f"Adds the index {name} on {model.table} ({shown}){only} and the migration {path}.",
            safety="An index changes no result, only how the database finds it. The migration adds it and touches "
            "no row; on PostgreSQL the table cannot be written while it is built.",
            edits=tuple(sorted((*file_edits([edits]), FileEdit(path=path, before=None, after=text)),
                               key=lambda edit: edit.path)),
            migration=True,
        )  # fmt: skip


def _model(models: Models, table: str) -> tuple[Model, Module, ast.ClassDef]:
    found = models.by_table(table)
    if not found:
        raise Decline(Why.RELATION_NOT_FOUND, f"no model of the repository has the table {table or '?'}")
    if len(found) > 1:
        raise Decline(Why.AMBIGUOUS, f"several models have the table {table}: "
                      + ", ".join(sorted(model.name for model in found)))  # fmt: skip
    model = found[0]
    managed = model.meta.get("managed")
    if model.module is None or model.node is None or (isinstance(managed, ast.Constant) and managed.value is False):
        raise Decline(Why.NO_PATTERN, f"{table} is not managed by Django's migrations")
    return model, model.module, model.node


def _fields(model: Model, columns: tuple[str, ...]) -> list[str]:
    if not columns:
        raise Decline(Why.NO_PATTERN, "the finding names no columns")
    names: list[str] = []
    for column in columns:
        field = model.by_column(column.removeprefix("-"))
        if field is None:
            raise Decline(
                Why.RELATION_NOT_FOUND, f"{model.name} has no field for the column {column.removeprefix('-')}"
            )
        names.append(("-" if column.startswith("-") else "") + field.name)
    return names


def _condition(model: Model, where: str) -> str:
    """The arguments of `Q` for the rows that a partial index holds."""
    match = re.fullmatch(r"(NOT )?(\w+)( IS NULL| IS NOT NULL)?", where) if where else None
    if match is None or (match[1] and match[3]):
        if where:
            raise Decline(Why.NO_PATTERN, f"{where!r} is no condition that it knows how to write")
        return ""
    (field,) = _fields(model, (match[2],))
    if match[3]:
        return f"{field}__isnull={match[3] == ' IS NULL'}"
    return f"{field}={not match[1]}"


def _prefix_of_q(module: Module) -> str:
    """`models.` where the module imports it so; a bare name only where `Q` is imported."""
    if module.imports.get("models") == "django.db.models":
        return "models."
    if module.imports.get("Q") in ("django.db.models.Q", "django.db.models.query_utils.Q"):
        return ""
    raise Decline(Why.NO_PATTERN, f"{module.path} imports neither django.db.models as `models` nor Q")


def _refuse_covered(model: Model, fields: list[str]) -> None:
    place = f"{model.module.path}: " if model.module else ""
    for written in _indexed(model):
        if written == fields:
            raise Decline(Why.ALREADY_DONE, f"{place}{model.name} has an index on ({', '.join(written)})")
        if written[: len(fields)] == fields:
            raise Decline(Why.INDEX_EXISTS, f"{place}the index on ({', '.join(written)}) begins with these columns")
    for written in _unique(model):
        if written[: len(fields)] == [each.removeprefix("-") for each in fields]:
            raise Decline(Why.INDEX_EXISTS, f"{place}({', '.join(written)}) is unique and so indexed")
    if len(fields) == 1 and _has_own_index(model, fields[0].removeprefix("-")):
        raise Decline(Why.INDEX_EXISTS, f"{place}{model.name}.{fields[0]} has an index of its own")


def _has_own_index(model: Model, name: str) -> bool:
    field: Field = model.fields.get(name, model.pk)
    off = field.options.get("db_index")
    if field.forward and not (isinstance(off, ast.Constant) and off.value is False):
        return True
    return field.kind == "SlugField" or any(field.flag(option) for option in ("primary_key", "unique", "db_index"))


def _indexed(model: Model) -> list[list[str]]:
    """Columns of the indexes in Meta; those with a condition or expressions are left out."""
    calls = [each for each in _elements(model.meta.get("indexes")) if isinstance(each, ast.Call)]
    options = [{keyword.arg: keyword.value for keyword in call.keywords} for call in calls if not call.args]
    written = [_texts(each["fields"]) for each in options if "fields" in each and "condition" not in each]
    return [*written, *(_texts(each) for each in _groups(model.meta.get("index_together")))]


def _unique(model: Model) -> list[list[str]]:
    calls = [each for each in _elements(model.meta.get("constraints")) if isinstance(each, ast.Call)]
    unique = [call for call in calls if ast.unparse(call.func).endswith("UniqueConstraint")]
    options = [{keyword.arg: keyword.value for keyword in call.keywords} for call in unique]
    written = [_texts(each["fields"]) for each in options if "fields" in each and "condition" not in each]
    return [*written, *(_texts(each) for each in _groups(model.meta.get("unique_together")))]


def _elements(node: ast.expr | None) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []


def _groups(node: ast.expr | None) -> list[ast.expr]:
    inner: list[ast.expr] = [each for each in _elements(node) if isinstance(each, (ast.List, ast.Tuple, ast.Set))]
    return inner or ([node] if node is not None and _elements(node) else [])


def _texts(node: ast.expr) -> list[str]:
    return [each.value for each in _elements(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _name(model: Model, fields: list[str], where: str = "") -> str:
    """`<model>_<fields>_<hash>_idx`, at most 30 characters; the hash keeps it unique where it is cut."""
    words = "_".join(each.removeprefix("-").replace("_", "") for each in fields).lower()
    digest = hashlib.sha256(f"{model.table} {' '.join([*fields, where] if where else fields)}".encode()).hexdigest()[:4]
    stem = f"{model.name.lower()}_{words}"[: NAME_LENGTH - len(f"_{digest}_idx")].rstrip("_").lstrip("_")
    return f"{stem}_{digest}_idx"


def _prefix(module: Module, node: ast.ClassDef) -> str:
    """`models.` as the class's own base is written: `models.Model`."""
    if module.imports.get("models") == "django.db.models":
        return "models."
    if module.imports.get("Index") in ("django.db.models.Index", "django.db.models.indexes.Index"):
        return ""
    raise Decline(Why.NO_PATTERN, f"{module.path} does not import django.db.models as `models`")


def _add(module: Module, node: ast.ClassDef, model: Model, index: str, edits: Edits) -> None:
    meta = meta_class(node)
    listed = f"indexes = [\n    {index},\n]"
    inherited = next((base for base in model.bases if "indexes" in base.meta), None)
    if inherited is not None:
        raise Decline(Why.AMBIGUOUS, f"{module.at(node)} inherits the indexes of {inherited.name}")
    if meta is None:
        above = next((ast.unparse(base) for base in node.bases if _has_meta(model, base)), "")
        head = f"class Meta({above}.Meta):" if above else "class Meta:"
        body = listed.replace("\n", "\n    ")
        edits.after(_last_field(module, node), f"{head}\n    {body}", blank_line=True)
        return
    own = next(
        (each for each in meta.body if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "indexes"), None
    )
    if own is None:
        edits.after(meta.body[-1], listed)
    elif isinstance(own.value, ast.List):
        edits.change(own.value, add_element(index))
    else:
        raise Decline(Why.NO_PATTERN, f"{module.at(own)}: the indexes are not written as a list")


def _has_meta(model: Model, base: ast.expr) -> bool:
    name = ast.unparse(base).split(".")[-1]
    return any(above.name == name and above.meta_flag("abstract") for above in model.bases)


def _last_field(module: Module, node: ast.ClassDef) -> ast.stmt:
    plain: list[ast.stmt] = []
    for each in node.body:
        if isinstance(each, (*type_of_function, ast.ClassDef)):
            break
        plain.append(each)
    if not plain:
        raise Decline(Why.NO_PATTERN, f"{module.at(node)} writes no field of its own")
    return plain[-1]
