"""Reads the configuration: default < file < environment; a complaint names file, line, key and the nearest known key.

Environment variables are `BURNISH__SECTION__KEY=value` (two underscores), for example `BURNISH__LIMITS__MAX_OPEN=1`.
An unknown one is an error too: a typo there is as silent as one in the file.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from burnish.errors import ConfigError

PREFIX = "BURNISH__"
REQUIRED = "(required)"
"""In place of a default, for a setting that has none."""
M = TypeVar("M", bound=BaseModel)


def load(model: type[M], path: Path, environment: Mapping[str, str]) -> M:
    """The validated configuration. Raises ConfigError with one line for each mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); write one with `burnish init`, or name another with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start})") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    _overlay(values, environment, model)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_complaint(model, path, text, e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _overlay(values: dict[str, Any], environment: Mapping[str, str], model: type[BaseModel]) -> None:
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        keys = [part.lower() for part in name[len(PREFIX) :].split("__")]
        section: Any = values
        for key in keys[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):
                raise ConfigError(f"environment variable {name}: `{key}` is not a section")
        known = _known(model, keys[:-1])
        if known and keys[-1] not in known:
            raise ConfigError(f"environment variable {name}: unknown key `{keys[-1]}`{_nearest(keys[-1], known)}")
        section[keys[-1]] = _scalar(environment[name])


def _scalar(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _complaint(model: type[BaseModel], path: Path, text: str, loc: Sequence[int | str], kind: str, message: str) -> str:
    keys = [str(part) for part in loc]
    where = f"{path}:{line_of(text, keys)}: " if keys else f"{path}: "
    if kind == "extra_forbidden":
        return f"{where}unknown key `{'.'.join(keys)}`{_nearest(keys[-1], _known(model, keys[:-1]))}"
    if kind == "missing":
        return f"{path}: the key `{'.'.join(keys)}` is missing; add it under [{'.'.join(keys[:-1]) or 'top level'}]"
    return f"{where}`{'.'.join(keys)}`: {message}"


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known here: {', '.join(known)}" if known else ""


def _known(model: type[BaseModel], keys: Sequence[str]) -> list[str]:
    """The keys that a section knows; empty where the section itself is unknown or free."""
    current: type[BaseModel] | None = model
    for key in keys:
        field = current.model_fields.get(key) if current else None
        current = _section(field.annotation) if field else None
    return sorted(current.model_fields) if current else []


def _section(annotation: Any) -> type[BaseModel] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def line_of(text: str, keys: Sequence[str]) -> int:
    """1-based line of a dotted key in TOML text; the section's line, or 1, where the key has none of its own."""
    section, best = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if header:
            section = header.group(1)
            if section == ".".join(keys[: section.count(".") + 1]):
                best = number
        found = re.match(r"\s*([\w.-]+)\s*=", line)
        if found and ".".join(filter(None, (section, found.group(1)))) == ".".join(keys):
            return number
    return best


def described(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, str, Any, str]]:
    """(section, key, default, sentence) of every setting: what config/burnish.toml and `config describe` print."""
    told = sentences(model)
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is not None:
            yield from described(inner, f"{section}.{name}".strip("."))
        else:
            default = REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
            yield section, name, default, told.get(name, "")


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field in the source of a section and its bases, by field.

    Read when it is asked for: pydantic's `use_attribute_docstrings` reads every source file at each start.
    """
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if not issubclass(kind, BaseModel) or kind.__module__.startswith("pydantic"):
            continue
        try:
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        except (OSError, TypeError):  # made at run time, or shipped without its source
            continue
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = " ".join(str(getattr(text.value, "value", "")).split())
    return found


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The configuration's JSON Schema with a sentence for each key, for editors."""
    schema = model.model_json_schema()
    for kind in _sections(model):
        told = sentences(kind)
        long_name = f"{kind.__module__}.{kind.__qualname__}".replace(".", "__")  # where two sections share a name
        part = schema if kind is model else schema["$defs"].get(kind.__name__) or schema["$defs"][long_name]
        for name, field in part.get("properties", {}).items():
            if told.get(name):
                field["description"] = told[name]
    return schema


def _sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        inner = _section(field.annotation)
        if inner is not None:
            yield from _sections(inner)


def template(model: type[BaseModel]) -> str:
    """The configuration with every setting, its default and a sentence: config/burnish.toml."""
    lines = [
        "# Every setting with its default. Written by scripts/generate; copy what you change into your burnish.toml.",
        "# A line without `#` before the key has no default and must be set. Paths are relative to the file.",
    ]
    current = None
    for section, key, default, sentence in described(model):
        if section != current:
            lines += ["", f"[{section}]"] if section else [""]
            current = section
        lines.append(f"# {sentence}")
        lines.append(f'{key} = "…"' if default == REQUIRED else f"# {key} = {_toml(default)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)
