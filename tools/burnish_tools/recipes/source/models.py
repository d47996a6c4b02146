"""The Django models of a repository, read from their text: tables, fields, relations and the names back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from burnish_tools.recipes.source.repo import Module, Repository, type_of_function

MODEL_BASES = {
    "django.db.models.Model", "django.db.models.base.Model",
    "django.contrib.auth.models.AbstractUser", "django.contrib.auth.models.AbstractBaseUser",
}  # fmt: skip
RELATIONS = {"ForeignKey": "fk", "OneToOneField": "o2o", "ManyToManyField": "m2m"}
MANAGERS = ("Manager", "from_queryset", "as_manager")


@dataclass(frozen=True)
class Field:
    """A field as written. `kind` is `fk`, `o2o`, `m2m` or the name of the field's class."""

    name: str
    kind: str
    column: str
    options: dict[str, ast.expr]
    target: Model | None = None

    @property
    def forward(self) -> bool:
        """True where reading it from an instance can run one query for one row."""
        return self.kind in ("fk", "o2o")

    def flag(self, option: str) -> bool:
        """True where `option=True` is written."""
        value = self.options.get(option)
        return isinstance(value, ast.Constant) and value.value is True


@dataclass(frozen=True)
class Relation:
    """A name on an instance that leads to many rows of another table."""

    name: str
    target: Model
    table: str
    """The table that the condition is on: the target's own, or the one in between (many-to-many)."""
    column: str


@dataclass(eq=False)
class Model:
    """A model class."""

    module: Module | None
    node: ast.ClassDef | None
    name: str
    app: str
    table: str
    meta: dict[str, ast.expr] = field(default_factory=dict)
    bases: list[Model] = field(default_factory=list)
    classes: list[tuple[Module, ast.ClassDef]] = field(default_factory=list)
    """Its class and the classes above it that this repository defines: where a method is looked up."""
    fields: dict[str, Field] = field(default_factory=dict)
    many: dict[str, Relation] = field(default_factory=dict)
    managers: dict[str, ast.expr] = field(default_factory=dict)

    def meta_flag(self, option: str) -> bool:
        """True where Meta says `option = True`."""
        value = self.meta.get(option)
        return isinstance(value, ast.Constant) and value.value is True

    @property
    def pk(self) -> Field:
        """The primary key; Django's automatic `id` where none is written."""
        written = [each for each in self.fields.values() if each.flag("primary_key")]
        return written[0] if written else Field("id", "AutoField", "id", {})

    def by_column(self, column: str) -> Field | None:
        """The field that is stored in a column."""
        every = [*self.fields.values(), self.pk]
        return next((each for each in every if each.column == column and each.kind != "m2m"), None)

    def method(self, name: str) -> tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef] | None:
        """A method or property, from the first class in the line that has it."""
        for module, node in self.classes:
            found = [each for each in node.body if isinstance(each, type_of_function) and each.name == name]
            if found:
                return (module, found[0]) if len(found) == 1 else None
        return None


class Models:
    """All models of a repository, concrete ones by table."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._by_node: dict[ast.ClassDef, Model] = {}
        self._order: list[Model] = []
        for module in repository.modules("models"):
            for node in module.top.values():
                if isinstance(node, ast.ClassDef):
                    self._model(module, node)
        self._foreign = {
            name: Model(None, None, name.split(".")[1], name.split(".")[0], table)
            for name, table in (("auth.User", "auth_user"), ("auth.Group", "auth_group"))
        }
        for model in self._order:
            model.fields = dict(self._fields(model))
        for model in self.concrete:
            if not model.meta_flag("proxy"):
                self._link_back(model)
        for model in self.concrete:
            for base in model.bases:
                model.many = {**base.many, **model.many}

    @property
    def concrete(self) -> list[Model]:
        """Models with a table."""
        return [model for model in self._order if not model.meta_flag("abstract")]

    def by_table(self, table: str) -> list[Model]:
        """Models of a table, proxies left out."""
        return [model for model in self.concrete if model.table == table and not model.meta_flag("proxy")]

    def of(self, module: Module, node: ast.expr) -> Model | None:
        """The model that an expression names."""
        definition = self.repository.resolve(module, node)
        if definition is None or not isinstance(definition.node, ast.ClassDef):
            return None
        return self._by_node.get(definition.node)

    def of_class(self, node: ast.ClassDef | None) -> Model | None:
        """The model of a class statement."""
        return self._by_node.get(node) if node is not None else None

    def _model(self, module: Module, node: ast.ClassDef) -> Model | None:
        if node in self._by_node:
            return self._by_node[node]
        bases: list[Model] = []
        is_model = False
        for base in node.bases:
            is_model |= self.repository.dotted(module, base) in MODEL_BASES
            above = self.repository.resolve(module, base)
            if above and isinstance(above.node, ast.ClassDef) and above.node is not node:
                parent = self._model(above.module, above.node)
                bases += [parent] if parent else []
        if not is_model and not bases:
            return None
        model = self._build(module, node, bases)
        self._by_node[node] = model
        self._order.append(model)
        return model

    def _build(self, module: Module, node: ast.ClassDef, bases: list[Model]) -> Model:
        app = _app_label(self.repository, module)
        meta = _meta(node, bases)
        label = meta.get("app_label")
        app = label.value if isinstance(label, ast.Constant) and isinstance(label.value, str) else app
        written = meta.get("db_table")
        table = f"{app}_{node.name.lower()}"
        if isinstance(written, ast.Constant) and isinstance(written.value, str):
            table = written.value
        proxy = meta.get("proxy")
        if isinstance(proxy, ast.Constant) and proxy.value is True and bases:
            table = bases[0].table
        classes = [(module, node), *(pair for base in bases for pair in base.classes)]
        return Model(module, node, node.name, app, table, meta, bases, classes)

    def _fields(self, model: Model) -> Iterator[tuple[str, Field]]:
        for module, node in reversed(model.classes):
            for name, value in _assigned(node):
                called = value.func if isinstance(value, ast.Call) else None
                kind = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if isinstance(value, ast.Call) and kind in RELATIONS:
                    yield name, self._relation(module, model, name, kind, value)
                elif isinstance(value, ast.Call) and kind.endswith("Field"):
                    options = _options(value)
                    yield name, Field(name, kind, _text(options.get("db_column")) or name, options)
                elif isinstance(value, ast.Call):
                    model.managers[name] = value

    def _relation(self, module: Module, model: Model, name: str, kind: str, call: ast.Call) -> Field:
        options = _options(call)
        to = call.args[0] if call.args else options.get("to")
        column = _text(options.get("db_column")) or f"{name}_id"
        return Field(name, RELATIONS[kind], column, options, self._target(module, model, to))

    def _target(self, module: Module, model: Model, to: ast.expr | None) -> Model | None:
        named = _text(to)
        if named == "self":
            return model
        if isinstance(to, ast.Attribute) and to.attr == "AUTH_USER_MODEL":
            named = self._user_model()
        if not named:
            return self.of(module, to) if to is not None else None
        app, _, name = named.rpartition(".")
        found = [each for each in self._order if each.name == name and each.app == (app or model.app)]
        return found[0] if len(found) == 1 else self._foreign.get(named)

    def _user_model(self) -> str:
        for module in self.repository.modules("AUTH_USER_MODEL"):
            node = module.top.get("AUTH_USER_MODEL")
            if isinstance(node, ast.Assign) and _text(node.value):
                return _text(node.value)
        return "auth.User"

    def _link_back(self, model: Model) -> None:
        for each in model.fields.values():
            if each.target is None:
                continue
            name = _back_name(model, each)
            if each.kind == "fk" and name:
                each.target.many[name] = Relation(name, model, model.table, each.column)
            elif each.kind == "m2m":
                self._link_many(model, each, name)

    def _link_many(self, model: Model, each: Field, name: str) -> None:
        target = each.target
        assert target is not None  # the caller looked
        own, other = f"{model.name.lower()}_id", f"{target.name.lower()}_id"
        if target is model:
            own, other = f"from_{own}", f"to_{other}"
        table = _text(each.options.get("db_table")) or f"{model.table}_{each.name}"
        if "through" in each.options and model.module is not None:
            between = self._target(model.module, model, each.options["through"])
            if between is None:
                return
            table = between.table
            own = next((f.column for f in between.fields.values() if f.target is model), own)
            other = next((f.column for f in between.fields.values() if f.target is target), other)
        model.many[each.name] = Relation(each.name, target, table, own)
        if name and target is not model:
            target.many[name] = Relation(name, model, table, other)


def _app_label(repository: Repository, module: Module) -> str:
    """Django's rule: the last part of the package that holds `models`, unless its AppConfig has a label."""
    parts = module.name.split(".")
    package = parts[: parts.index("models")] if "models" in parts else parts[:-1]
    config = repository.named(".".join([*package, "apps"]))
    for node in ast.walk(config.tree) if config else ():
        if isinstance(node, ast.ClassDef):
            label = next((_text(value) for name, value in _assigned(node) if name == "label"), "")
            if label:
                return label
    return package[-1] if package else module.name


def _meta(node: ast.ClassDef, bases: list[Model]) -> dict[str, ast.expr]:
    own = meta_class(node)
    above = next((base.meta for base in bases if base.meta), {})
    inherited = {name: value for name, value in above.items() if name not in ("abstract", "db_table", "proxy")}
    abstract_above = any(base.meta_flag("abstract") for base in bases)
    if own is None:
        return inherited if abstract_above else {}
    return {**(inherited if own.bases else {}), **dict(_assigned(own))}


def meta_class(node: ast.ClassDef) -> ast.ClassDef | None:
    """The `class Meta` that is written in a model."""
    return next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == "Meta"), None)


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            yield each.targets[0].id, each.value
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.value is not None:
            yield each.target.id, each.value


def _options(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _back_name(model: Model, each: Field) -> str:
    """The name of the way back: `related_name`, else `<model>_set`; empty where it is switched off."""
    written = _text(each.options.get("related_name"))
    if not written and "related_name" not in each.options:
        return model.name.lower() + ("" if each.kind == "o2o" else "_set")
    if written.endswith("+"):
        return ""
    return written.replace("%(class)s", model.name.lower()).replace("%(app_label)s", model.app)
