"""Puts a probe around the judged function, wherever the service holds a reference to it."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from .references import holders, replace


class Probe:
    """Told about outermost calls of the judged function. A generator's call is several stretches."""

    depth = 0

    def begin(self) -> Any:
        """A call starts; returns its record."""

    def pause(self, call: Any) -> None:
        """The generator is suspended."""

    def resume(self, call: Any) -> None:
        """The generator goes on."""

    def end(self, call: Any, args: Any, result: Any, error: Any) -> None:
        """The call is over: `error` is None when it returned `result`."""


def _nothing(instance: Any) -> Any:
    """Stands for the getter of a property that has none."""
    raise AttributeError("unreadable attribute")


class Items(list):  # type: ignore[type-arg]
    """What a generator yielded."""


def wrap(name: str, probe: Probe) -> None:
    """Wraps `module:Qualified.name`; of a nested function the outermost one. LookupError where it is not there."""
    module_name, _, qualname = name.partition(":")
    parts = qualname.split(".<locals>")[0].split(".")
    owner: Any = importlib.import_module(module_name)
    for part in parts[:-1]:
        owner = getattr(owner, part, None)
    held = vars(owner).get(parts[-1]) if owner is not None else None
    if held is None:
        raise LookupError(f"{name} is not an attribute that can be wrapped")
    elsewhere = holders(held)
    replacement = _replaced(held, probe)
    if replacement is held:
        return
    setattr(owner, parts[-1], replacement)
    if hasattr(replacement, "__set_name__"):
        replacement.__set_name__(owner, parts[-1])
    replace(elsewhere, held, replacement)


def _replaced(held: Any, probe: Probe) -> Any:
    """The same kind of attribute, with the probe inside; `held` itself where it could be changed in place."""
    if isinstance(held, (staticmethod, classmethod)):
        return type(held)(_replaced(held.__func__, probe))
    if isinstance(held, property):
        return property(watched(held.fget or _nothing, probe), held.fset, held.fdel, held.__doc__)
    if not callable(held) and callable(getattr(held, "func", None)):  # cached_property, Django's or functools'
        return type(held)(watched(held.func, probe))
    if not callable(held):
        raise LookupError(f"{held!r} is not a function")
    return held if _replace_inside(held, probe) else watched(held, probe)


def _replace_inside(decorated: Any, probe: Probe) -> bool:
    """Below decorators: the innermost closure's cell gets the probe, as production measures the function itself."""
    inner = getattr(decorated, "__wrapped__", None)
    if inner is None:
        return False
    if _replace_inside(inner, probe):
        return True
    for cell in getattr(decorated, "__closure__", None) or ():
        if cell.cell_contents is inner and inspect.isfunction(inner):
            decorated.__wrapped__ = cell.cell_contents = watched(inner, probe)
            return True
    return False


def watched(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """The function with the probe around its outermost calls."""
    if inspect.isgeneratorfunction(original):
        inner = _generator(original, probe)
    elif inspect.iscoroutinefunction(original):
        inner = _coroutine(original, probe)
    else:
        inner = _plain(original, probe)
    wrapper = functools.wraps(original)(inner)
    for name in ("cache_clear", "cache_info"):
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    return wrapper


def _plain(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if probe.depth:
            return original(*args, **kwargs)
        call = probe.begin()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            probe.end(call, (args, kwargs), None, error)
            raise
        probe.end(call, (args, kwargs), result, None)
        return result

    return wrapper


def _coroutine(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if probe.depth:
            return await original(*args, **kwargs)
        call = probe.begin()
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            probe.end(call, (args, kwargs), None, error)
            raise
        probe.end(call, (args, kwargs), result, None)
        return result

    return wrapper


def _generator(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if probe.depth:
            return (yield from original(*args, **kwargs))
        call, items = probe.begin(), Items()
        source = original(*args, **kwargs)
        while True:
            ended, value = _step(source, probe, call, (args, kwargs), items)
            if ended:
                return value
            yield value
            probe.resume(call)

    return wrapper


def _step(source: Any, probe: Probe, call: Any, args: Any, items: Items) -> tuple[bool, Any]:
    """One item of a generator: (False, item) or (True, its return value)."""
    try:
        item = next(source)
    except StopIteration as stop:
        probe.end(call, args, items, None)
        return True, stop.value
    except BaseException as error:
        probe.end(call, args, items, error)
        raise
    items.append(item)
    probe.pause(call)
    return False, item
