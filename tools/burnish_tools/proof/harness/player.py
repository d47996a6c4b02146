"""Calls the judged function with recorded arguments and writes down everything that can be seen of the call."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import io
import json
import logging
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from time import perf_counter_ns, process_time_ns
from typing import Any

from . import determinism, hook, state
from .boot import Booted
from .canonical import canonical
from .host_asgi import AsgiHost
from .statements import Statements
from .traces import QUIET, listen
from .wrap import Items

MAX_ITEMS = 100_000
MAX_PRINTED = 20_000
MAX_FORM = 100_000
"""Characters of a result or of arguments that are written as they are; of more, only the digest."""


class Overtime(BaseException):
    """The call takes longer than it may. No Exception, so that the service's own handlers let it pass."""


class Endless(Exception):
    """A generator yields more than anybody would take."""


class Taken(Items):
    """What a generator yielded, up to a bound."""

    def add(self, item: Any) -> None:
        """Raises Endless."""
        if len(self) >= MAX_ITEMS:
            raise Endless
        self.append(item)


def load(path: str) -> dict[int, dict[str, Any]]:
    """Cases by their number, from JSON lines."""
    with open(path, encoding="utf-8") as file:
        return {case["id"]: case for case in map(json.loads, file)}


def arguments(case: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """A fresh copy of a case's arguments. Raises whatever unpickling raises."""
    args, kwargs = pickle.loads(base64.b64decode(case["pickle"]))
    return list(args), dict(kwargs)


def encoded(args: list[Any], kwargs: dict[str, Any]) -> str:
    """The way back."""
    return base64.b64encode(pickle.dumps((tuple(args), kwargs), protocol=4)).decode("ascii")


class Player:
    """One function, called again and again."""

    def __init__(self, job: dict[str, Any], service: Booted) -> None:
        self.service = service
        service.database.use(AsgiHost().run)  # makes the event loop that asynchronous engines will belong to
        sys.path[:0] = [os.path.abspath(path) for path in job["paths"] if path != "."]
        begun = process_time_ns()
        self.function = hook.find(job["function"])
        self.import_ns = process_time_ns() - begun
        """Work that a change moves from the call to the import; CPU time, which reading files does not blur."""
        self._kind = hook.kind(self.function)
        self._modules = job.get("modules", [])
        self.seconds = float(job["call_seconds"])
        self.statements = Statements()
        self._results: list[Any] = []
        asynchronous = "async" in self._kind or self._kind == "coroutine"
        self._loop = asyncio.get_event_loop_policy().get_event_loop() if asynchronous else None

    def timed(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[int, Any]:
        """Wall time of a whole call, ns, and its result: a generator's is run to its end. Raises what it raises."""
        if self._loop is not None:
            finished = self._coroutine if self._kind == "coroutine" else self._async_generator
            return self._loop.run_until_complete(finished(args, kwargs))
        begun = perf_counter_ns()
        result = self.function(*args, **kwargs)
        if hasattr(result, "__next__") and not isinstance(result, io.IOBase):
            result = _items(result)
        elif inspect.isawaitable(result):
            result = asyncio.get_event_loop_policy().get_event_loop().run_until_complete(_awaited(result))
        return perf_counter_ns() - begun, result

    async def _coroutine(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[int, Any]:
        begun = perf_counter_ns()
        result = await self.function(*args, **kwargs)
        return perf_counter_ns() - begun, result

    async def _async_generator(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[int, Any]:
        begun, items = perf_counter_ns(), Taken()
        async for item in self.function(*args, **kwargs):
            items.add(item)
        return perf_counter_ns() - begun, items

    def seen(self, case: dict[str, Any], alter: dict[str, int] | None = None, *, moved: bool = False) -> dict[str, Any]:
        """Everything that can be seen of one call. `alter`: statements whose tables are changed beforehand, in values
        or, where `moved`, in which row has which content."""
        try:
            args, kwargs = arguments(case)
        except Exception as error:  # noqa: BLE001 - unpickling runs the service's code
            return {"unloadable": type(error).__name__}

        def prepare() -> None:
            if alter:
                database = self.service.database
                database.rotate(alter) if moved else database.alter(alter)
            determinism.restart()
            self.statements.clear()

        before = state.of(self._modules)
        database = self.service.database
        with database.rolled_back(prepare), database.watching(self.statements):
            with _overheard() as heard:
                outcome = self._outcome(args, kwargs)
            queries, counts = self.statements.total, dict(self.statements.counts)
            with self.statements.paused():
                form = self._form(outcome, args, kwargs)
                written = database.digests(self.statements.written)
        told = {"queries": queries, "statements": counts, "written": written, "ns": outcome.get("ns", 0)}
        return {**form, **told, **heard, "state": state.changes(before, state.of(self._modules))}

    def _outcome(self, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            with limited(self.seconds):
                took, result = self.timed(args, kwargs)
        except (Overtime, Endless):
            return {"overtime": True}
        except BaseException as error:  # noqa: BLE001 - also SystemExit is a result
            return {"raised": error}
        return {"returned": result, "ns": took}

    def _form(self, outcome: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"arguments": state.compact(canonical([args, kwargs]), MAX_FORM)}
        if "overtime" in outcome:
            return {**found, "overtime": True}
        if "raised" in outcome:
            kind = type(outcome["raised"])
            return {**found, "raised": canonical(outcome["raised"]), "type": f"{kind.__module__}.{kind.__qualname__}"}
        result = outcome["returned"]
        return {
            **found,
            "returned": state.compact(canonical(result), MAX_FORM),
            "shared": self._shared(result, args, kwargs),
        }

    def _shared(self, result: Any, args: list[Any], kwargs: dict[str, Any]) -> list[str]:
        """Which places hold the very same object: what is changed in one of them, the other sees too."""
        found = _same([("the result", result), *_places(args, kwargs)])
        if _mutable(result):
            if any(earlier is result for earlier in self._results) and not found:
                found.append("the result and that of an earlier call")
            self._results = [*self._results[-200:], result]
        return found


def _places(args: list[Any], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments, and one level down what objects hold."""
    for name, value in [*((str(i), v) for i, v in enumerate(args, 1)), *kwargs.items()]:
        yield f"argument {name}", value
        for attribute, held in getattr(value, "__dict__", {}).items() if not isinstance(value, type) else ():
            yield f"argument {name}.{attribute}", held


def _same(places: list[tuple[str, Any]]) -> list[str]:
    """`argument 1.rows is argument 2`"""
    by_object: dict[int, list[str]] = {}
    for name, value in places:
        if _mutable(value):
            by_object.setdefault(id(value), []).append(name)
    return [" is ".join(names) for names in by_object.values() if len(names) > 1]


def _mutable(value: Any) -> bool:
    return isinstance(value, (list, dict, set, bytearray)) or bool(getattr(value, "__dict__", None))


def _items(source: Any) -> Items:
    items = Taken()
    for item in source:
        items.add(item)
    return items


async def _awaited(value: Any) -> Any:
    return await value


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises Overtime inside after this time."""

    def over(*_: Any) -> None:
        raise Overtime

    was = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, was)


@contextlib.contextmanager
def _overheard() -> Iterator[dict[str, Any]]:
    """What is printed and logged inside; the dictionary is filled at the end."""
    heard: dict[str, Any] = {}
    records: list[list[Any]] = []
    make = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> Any:
        record = make(*args, **kwargs)
        with contextlib.suppress(Exception):
            if not record.name.startswith(QUIET):
                records.append([record.name, record.levelname, record.getMessage()])
        return record

    logging.setLogRecordFactory(factory)
    listen()
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield heard
    finally:
        logging.setLogRecordFactory(make)
        heard["printed"] = state.compact([out.getvalue()[:MAX_PRINTED], err.getvalue()[:MAX_PRINTED]])
        heard["logged"] = state.compact(records)
