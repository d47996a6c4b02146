"""Finds the judged function, and puts a hook into it: whoever holds a reference to the function runs the hook.

The function object stays and only its code is exchanged, so that registries, decorators, partial objects and names that
were imported long ago all meet the hook (`wrap.py` replaces attributes, which is enough where views are called by URL).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import types
from collections.abc import Callable
from typing import Any

HOOK = "burnish: the hook"
INSIDE = ("__wrapped__", "__func__", "fget", "func", "run")
"""Where wrappers keep what they wrap: functools, class and static methods, property, cached_property, Celery tasks."""
MAX_WRAPPERS = 20

Around = Callable[[Callable[..., Any], "tuple[Any, ...]", "dict[str, Any]"], Any]
"""Called with the original function, its positional and its named arguments, in place of each call."""


def find(name: str) -> types.FunctionType:
    """The function `module:Qualified.name` below all decorators; of a nested one the outermost function around it.

    Raises LookupError where there is no function of that name, and whatever importing the module raises.
    """
    module, _, qualname = name.partition(":")
    held: Any = importlib.import_module(module)
    for part in qualname.split(".<locals>")[0].split("."):
        try:
            held = inspect.getattr_static(held, part)
        except AttributeError:
            raise LookupError(f"{name} is not there") from None
    return innermost(held, name)


def innermost(held: Any, name: str) -> types.FunctionType:
    """What decorators, properties and task objects have inside."""
    for _ in range(MAX_WRAPPERS):
        inner = next((i for i in (getattr(held, attribute, None) for attribute in INSIDE) if callable(i)), None)
        if isinstance(held, types.FunctionType) and not callable(getattr(held, "__wrapped__", None)):
            return held
        if inner is None:
            break
        held = inner
    raise LookupError(f"{name} is no Python function")


def kind(function: Callable[..., Any]) -> str:
    """`plain`, `generator`, `coroutine` or `async generator`."""
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    return "generator" if inspect.isgeneratorfunction(function) else "plain"


def exchange(function: types.FunctionType, around: Around) -> None:
    """From now on `around` runs in place of each call. It must return what the function's kind returns when called."""
    code = function.__code__
    original = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__
    original.__qualname__ = function.__qualname__
    with_signature: Any = function
    with_signature.__signature__ = inspect.signature(function)  # it would be read from the code
    template = TEMPLATES[kind(function)].__code__
    hook = functools.partial(around, original)
    function.__code__ = template.replace(
        co_consts=tuple(hook if constant == HOOK else constant for constant in template.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )


def _plain(*args: Any, **kwargs: Any) -> Any:
    hook: Any = "burnish: the hook"
    return hook(args, kwargs)


def _generator(*args: Any, **kwargs: Any) -> Any:
    hook: Any = "burnish: the hook"
    return (yield from hook(args, kwargs))


async def _coroutine(*args: Any, **kwargs: Any) -> Any:
    hook: Any = "burnish: the hook"
    return await hook(args, kwargs)


async def _async_generator(*args: Any, **kwargs: Any) -> Any:
    hook: Any = "burnish: the hook"
    async for item in hook(args, kwargs):
        yield item


TEMPLATES: dict[str, Any] = {
    "plain": _plain,
    "generator": _generator,
    "coroutine": _coroutine,
    "async generator": _async_generator,
}
