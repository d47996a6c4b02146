"""The cheap facts of one call. Classes only: no value, and nothing that is made from one, is kept.

Of an argument or a result there is the name of its type and, for the built-in containers and strings, the size class.
Only ``type(x)`` is asked and ``len`` of objects whose type is exactly a built-in one: no code of the application runs
(``len`` of a lazy query would ask the database, ``x.__class__`` of a lazy object would make it).

Not kept: numbers, not even their order of magnitude (an amount or an account number in classes is still a hint at the
value), and truth values, unless the parameter's default is one: such a parameter is a flag of the program, not data.
"""

from __future__ import annotations

import re
import sys
from collections import OrderedDict, defaultdict, deque
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, Union
from weakref import ref

from ..mechanisms.registry import Function
from ..queries.log import CallQueries

if TYPE_CHECKING:
    import ast

MISSING: Any = type("Missing", (), {"__slots__": ()})()
_ARGUMENTS = 6
_NAME_LENGTH = 100
_LARGEST_SIZE = 1 << 20
_BUILT_IN = (str, bytes, bytearray, list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict)
#: by identity: looking a type up in a set would call the ``__hash__`` of its metaclass
_SIZED = frozenset(map(id, _BUILT_IN))
_TYPE_NAME = re.compile(r"[^\W\d][\w.<>]*")
_READS_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec", "f_locals"})
#: until Python 3.12 reading ``f_locals`` refreshes the dictionary that an earlier ``locals()`` of the frame returned
_SNAPSHOTS = sys.version_info < (3, 13)
_VARIADIC = 0x04, 0x08  # CO_VARARGS, CO_VARKEYWORDS
_module_of = type.__dict__["__module__"].__get__
_qualified_name_of = type.__dict__["__qualname__"].__get__
_flags_of = type.__dict__["__flags__"].__get__
_dictionary_of = type.__dict__["__dict__"].__get__
_HEAP_TYPE = 1 << 9
UNNAMED = "<type>"
_NAMES = 2_000
#: by the ``id`` of a class, which another may have once it is gone
_names: dict[int, tuple[ref[type], str]] = {}

Fact = Union[str, int, bool]


def power_class(count: int, largest: int = 1 << 62) -> int:
    """The lower end of the class of a count: 0, 1, 2 (2–3), 4 (4–7), … up to ``largest`` and more."""
    return min(1 << (count.bit_length() - 1), largest) if count > 0 else 0


class Shape(NamedTuple):
    """What is remembered of one object: the name of its type, its size class, and whether it is True or False."""

    kind: str
    size: int | None
    truth: bool | None


def shape_of(thing: Any) -> Shape:
    """The shape of an object, without calling any of its methods."""
    kind = type(thing)
    size = power_class(len(thing), _LARGEST_SIZE) if id(kind) in _SIZED else None
    return Shape(_KNOWN.get(id(kind)) or _remembered_name(kind), size, thing if kind is bool else None)


def _remembered_name(kind: type) -> str:
    """``type_name`` of a class that was seen before, or now: to find it takes as long as the rest of a look."""
    found = _names.get(id(kind))
    if found is not None and found[0]() is kind:
        return found[1]
    name = type_name(kind)
    if len(_names) >= _NAMES:
        _names.clear()
    _names[id(kind)] = ref(kind), name
    return name


def type_name(kind: type) -> str:
    """``list``, or ``orders.models.Order``; ``<type>`` where that is not the name of a definition.

    A class that was made while the program ran may be named after data. So a name must lead to the class it is of, or
    be that of a class in a function; the types that an extension defines statically have theirs from its source.
    """
    name, module = _qualified_name_of(kind), _module_of(kind)
    if type(module) is not str:
        return UNNAMED
    full = name if module == "builtins" else f"{module}.{name}"
    if len(full) > _NAME_LENGTH or not _TYPE_NAME.fullmatch(full):
        return UNNAMED
    static = not _flags_of(kind) & _HEAP_TYPE
    return full if static or "<locals>" in name or _leads_to(kind, module, name) else UNNAMED


def _leads_to(kind: type, module: str, name: str) -> bool:
    """Whether a class is found under its own name, by looking into dictionaries only."""
    first, *rest = name.split(".")
    try:
        here = object.__getattribute__(sys.modules[module], "__dict__").get(first)
        for part in rest:
            here = _dictionary_of(here).get(part)
    except (AttributeError, KeyError, TypeError):
        return False
    return here is kind


#: types that live as long as the process, so that their ``id`` is theirs alone
_KNOWN = {id(kind): type_name(kind) for kind in (*_BUILT_IN, type(None), bool, int, float)}


def arguments_of(frame: FrameType | None) -> dict[str, Shape]:
    """The shapes of the first parameters of a call, by name, as they are now: at the end of the call."""
    if frame is None:
        return {}
    code = frame.f_code
    if _SNAPSHOTS and not _READS_LOCALS.isdisjoint(code.co_names):
        return {}
    variadic = sum(1 for flag in _VARIADIC if code.co_flags & flag)
    names = code.co_varnames[: min(code.co_argcount + code.co_kwonlyargcount + variadic, _ARGUMENTS)]
    if not names:
        return {}
    now = frame.f_locals
    return {name: shape_of(now[name]) for name in names if name in now}


def statements_in(queries: CallQueries | int | None) -> int:
    """How many statements a call executed."""
    if isinstance(queries, CallQueries):
        return sum(record.n for record in list(queries.keys.values()))
    return queries or 0


class Parameters(NamedTuple):
    """Of the parameters of a function: ``rebound`` are those that it assigns to, ``flags`` those whose default is True
    or False."""

    rebound: frozenset[str]
    flags: frozenset[str]
    known: bool = True


UNKNOWN = Parameters(frozenset(), frozenset(), False)


def parameters_of(function: Function) -> Parameters:
    """Read them from the source. Takes up to a millisecond: for the flush thread, once for each function."""
    import ast

    lines = function.text()
    try:
        block = ast.parse("if 1:\n" + "\n".join(lines) if lines[0][:1].isspace() else "\n".join(lines))
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return UNKNOWN
    node = next((n for n in ast.walk(block) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))), None)
    return UNKNOWN if node is None else Parameters(_assigned(node), _flags(node.args))


def _assigned(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    import ast

    names = (n for statement in node.body for n in ast.walk(statement) if isinstance(n, ast.Name))
    return frozenset(name.id for name in names if not isinstance(name.ctx, ast.Load))


def _flags(args: ast.arguments) -> frozenset[str]:
    import ast

    plain = [*args.posonlyargs, *args.args]
    defaults = [*zip(reversed(plain), reversed(args.defaults)), *zip(args.kwonlyargs, args.kw_defaults)]
    return frozenset(
        arg.arg for arg, default in defaults if isinstance(default, ast.Constant) and isinstance(default.value, bool)
    )


def named(arguments: dict[str, Shape], parameters: Parameters) -> dict[str, Fact]:
    """The facts of the arguments as they are written: ``arg.<name>.type``, ``arg.<name>.size``, ``arg.<name>.is``.

    A parameter that the function assigns to, or of which that is not known, is told apart as ``end.<name>``: what it
    was at the end of the call need not be what it was called with.
    """
    facts: dict[str, Fact] = {}
    for name, shape in arguments.items():
        steady = parameters.known and name not in parameters.rebound
        facts.update(described(f"arg.{name}" if steady else f"end.{name}", shape))
        if steady and name in parameters.flags and shape.truth is not None:
            facts[f"arg.{name}.is"] = shape.truth
    return facts


def described(key: str, shape: Shape) -> dict[str, Fact]:
    """The type and, where there is one, the size class of an object."""
    facts: dict[str, Fact] = {f"{key}.type": shape.kind}
    if shape.size is not None:
        facts[f"{key}.size"] = shape.size
    return facts
