"""SQLAlchemy's declarative models as the text shows them: tables, and the relationships between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from burnish_tools.recipes.source.functions import Function, function_of
from burnish_tools.recipes.source.repo import Module, Repository, type_of_function

RELATIONSHIP = ("sqlalchemy.orm.relationship", "sqlalchemy.orm.relation")
LISTS = ("list", "List", "set", "Set", "Sequence", "Collection")
WHEN_READ = ("select", "True", "")
"""Values of `lazy` with which a relationship is loaded by the first read of it."""


@dataclass(frozen=True)
class Relation:
    """`entries: Mapped[list["Entry"]] = relationship(…)`"""

    name: str
    target: str
    """Name of the class."""
    many: bool
    nullable: bool
    """False where the row on the other side is certainly there."""
    lazy: str
    node: ast.stmt


@dataclass(frozen=True)
class Column:
    """`author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))`"""

    kind: str
    """The Python type, without None: `int`."""
    key: bool
    refers: str
    """`table.column` of its foreign key, else empty."""


@dataclass
class SqlModel:
    """A mapped class."""

    name: str
    table: str
    module: Module
    node: ast.ClassDef
    relations: dict[str, Relation] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, Column] | None:
        """Name and column of the primary key; None where it is not one column."""
        keys = [(name, column) for name, column in self.columns.items() if column.key]
        return keys[0] if len(keys) == 1 else None

    def method(self, name: str) -> Function | None:
        """A method or property that the class itself defines."""
        found = [each for each in self.node.body if isinstance(each, type_of_function) and each.name == name]
        return function_of(self.module, found[0]) if len(found) == 1 else None


class SqlModels:
    """All mapped classes of a repository, tests excepted."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.all = [model for module in repository.modules("__tablename__") for model in self._models(module)]

    def of(self, module: Module, node: ast.expr) -> SqlModel | None:
        """The model that an expression names."""
        definition = self.repository.resolve(module, node)
        return next((model for model in self.all if definition and model.node is definition.node), None)

    def target(self, model: SqlModel, relation: Relation) -> SqlModel | None:
        """The model on the other side; None where several have its name."""
        found = [each for each in self.all if each.name == relation.target]
        near = [each for each in found if each.module is model.module] or found
        return near[0] if len(near) == 1 else None

    def _models(self, module: Module) -> Iterator[SqlModel]:
        for node in module.tree.body:
            table = _table(node) if isinstance(node, ast.ClassDef) else ""
            if isinstance(node, ast.ClassDef) and table:
                model = SqlModel(node.name, table, module, node)
                for statement in node.body:
                    if isinstance(statement, ast.AnnAssign) and (column := _column(statement)):
                        model.columns[ast.unparse(statement.target)] = column
                    relation = self._relation(module, statement, node)
                    if relation is not None:
                        model.relations[relation.name] = relation
                yield model

    def _relation(self, module: Module, node: ast.stmt, owner: ast.ClassDef) -> Relation | None:
        target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        if not isinstance(target, ast.Name) or not isinstance(value, ast.Call):
            return None
        if self.repository.dotted(module, value.func) not in RELATIONSHIP:
            return None
        kind = _mapped(node.annotation) if isinstance(node, ast.AnnAssign) else None
        named = _class_name(value.args[0]) if value.args else kind[0] if kind else ""
        options = {each.arg: ast.unparse(each.value) for each in value.keywords if each.arg}
        if not named or kind is None or options.get("uselist", "True") != "True":
            return None  # without Mapped[…] the text does not say to how many rows it leads
        nullable = kind[2] or not _has_key(owner)
        return Relation(target.id, named, kind[1], nullable, options.get("lazy", "").strip("'\""), node)


def _table(node: ast.ClassDef) -> str:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names = [each.id for each in statement.targets if isinstance(each, ast.Name)]
            if names == ["__tablename__"] and isinstance(statement.value.value, str):
                return statement.value.value
    return ""


def _mapped(annotation: ast.expr) -> tuple[str, bool, bool] | None:
    """(class, many, nullable) of `Mapped[list["Entry"]]`, `Mapped[Author]`, `Mapped["Author | None"]`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if not isinstance(annotation, ast.Subscript) or _last(annotation.value) != "Mapped":
        return None
    inner = annotation.slice
    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
        inner = ast.parse(inner.value, mode="eval").body
    if isinstance(inner, ast.Subscript) and _last(inner.value) in LISTS:
        return _class_name(inner.slice), True, False
    if isinstance(inner, ast.Subscript) and _last(inner.value) == "Optional":
        return _class_name(inner.slice), False, True
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr):
        sides = [each for each in (inner.left, inner.right) if not _is_none(each)]
        return (_class_name(sides[0]), False, True) if len(sides) == 1 else None
    return (name, False, False) if (name := _class_name(inner)) else None


def _column(node: ast.AnnAssign) -> Column | None:
    """An attribute whose annotation is Mapped[…] and that is no relationship."""
    text = ast.unparse(node.annotation).strip("'\"")
    value = node.value
    name = _last(value.func) if isinstance(value, ast.Call) else ""
    if not text.startswith("Mapped[") or name not in ("", "mapped_column"):
        return None
    kind = text[len("Mapped[") : -1].replace("Optional[", "").replace("]", "").removesuffix(" | None")
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    keys = [each.args[0] for each in calls if _last(each.func) == "ForeignKey" and each.args]
    refers = [each.value for each in keys if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return Column(kind, "primary_key=True" in ast.unparse(node), refers[0] if len(refers) == 1 else "")


def _class_name(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    return _last(node)


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _has_key(owner: ast.ClassDef) -> bool:
    """True where the class holds foreign keys of its own, none of which says that it may be null."""
    keys = [each for each in owner.body if isinstance(each, ast.AnnAssign) and "ForeignKey(" in ast.unparse(each)]
    texts = [ast.unparse(each) for each in keys]
    return bool(texts) and not any("None" in text or "Optional" in text or "nullable=True" in text for text in texts)
