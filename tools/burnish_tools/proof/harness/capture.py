"""A pytest plugin: writes down the arguments with which tests call the judged function, and runs chosen tests alone.

Loaded through PYTEST_PLUGINS; BURNISH_CAPTURE names a JSON file:

    {"function": "module:Qualified.name", "calls": FOLDER}     capture: one file of JSON lines a process
    {"tests": [node id, ...]}                                  run only these tests

A line is a call, written when it has ended, {"test", "size", "raised", "pickle", "digest"}, or at the end of all

    {"tests": {node id: calls}, "left_out": {reason: n}, "parameters": [...], "paths": [...], "instant": unix,
     "error": text}
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import inspect
import io
import json
import os
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from typing import IO, Any

from . import hook

MAX_CALL_BYTES = 2 * 2**20
MAX_BYTES = 64 * 2**20
EACH_OF_A_TEST = 24
"""Of a test's calls the first ones are pickled, then only every power of two: pickling must not slow tests down."""
MAX_SECONDS = 30.0
"""Time for pickling in all of the tests."""

_job: dict[str, Any] = {}
_capture: Capture | None = None


class Unportable(Exception):
    """An argument that a pickle cannot carry, or only by doing something to the service."""


class Pickler(pickle.Pickler):
    """Refuses Django's lazy querysets: pickling one would run its query."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, protocol=4)
        self._lazy: dict[type, bool] = {}

    def persistent_id(self, value: Any) -> Any:
        """Called for every object; None means that the object is pickled as usual."""
        kind = type(value)
        lazy = self._lazy.get(kind)
        if lazy is None:
            names = {f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__}
            lazy = self._lazy[kind] = "django.db.models.query.QuerySet" in names
        if lazy:
            raise Unportable("a lazy queryset")


def pickled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Raises Unportable with a reason without values."""
    file = io.BytesIO()
    try:
        Pickler(file).dump((args, kwargs))
        data = file.getvalue()
    except Unportable:
        raise
    except Exception as error:  # noqa: BLE001 - objects may raise anything from their own pickling
        raise Unportable(f"cannot be pickled ({type(error).__name__})") from None
    if len(data) > MAX_CALL_BYTES:
        raise Unportable(f"more than {MAX_CALL_BYTES // 2**20} MB")
    return data


def size(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Elements of the sized arguments together, texts not counted."""
    sized = (list, tuple, set, frozenset, dict)
    return sum(len(value) for value in (*args, *kwargs.values()) if isinstance(value, sized))


class Capture:
    """The calls of one process."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._function = job["function"]
        self._file = open(os.path.join(job["calls"], f"{os.getpid()}.jsonl"), "w", encoding="utf-8")  # noqa: SIM115
        self._lock = threading.Lock()
        self._inside = threading.local()
        self._seen: set[str] = set()
        self._bytes = 0
        self._seconds = 0.0
        self.test = ""
        self.tests: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self._parameters: list[dict[str, Any]] = []
        self._error = ""

    def begin(self) -> None:
        """Puts the hook in place; called when all tests are imported. Never raises: tests must run as ever."""
        try:
            function = hook.find(self._function)
            self._parameters = parameters(function)
            hook.exchange(function, getattr(self, "_" + hook.kind(function).replace(" ", "_")))
        except Exception:  # noqa: BLE001 - importing runs the service's code
            self._error = traceback.format_exc(limit=-3)

    def end(self) -> None:
        """The last line."""
        here = os.getcwd()
        paths = [os.path.relpath(path, here) for path in sys.path if path.startswith(here)]
        told = {"tests": self.tests, "left_out": self._left_out, "parameters": self._parameters, "paths": paths}
        self._write({**told, "instant": time.time(), "error": self._error})
        self._file.close()

    def _plain(self, original: Any, args: Any, kwargs: Any) -> Any:
        """A call from inside of another one (recursion) is part of that."""
        if getattr(self._inside, "call", False):
            return original(*args, **kwargs)
        self._inside.call = True
        try:
            with self._remembered(args, kwargs):
                return original(*args, **kwargs)
        finally:
            self._inside.call = False

    def _generator(self, original: Any, args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
        with self._remembered(args, kwargs):
            return (yield from original(*args, **kwargs))

    async def _coroutine(self, original: Any, args: Any, kwargs: Any) -> Any:
        with self._remembered(args, kwargs):
            return await original(*args, **kwargs)

    async def _async_generator(self, original: Any, args: Any, kwargs: Any) -> Any:
        with self._remembered(args, kwargs):
            async for item in original(*args, **kwargs):
                yield item

    @contextlib.contextmanager
    def _remembered(self, args: Any, kwargs: Any) -> Iterator[None]:
        """Pickles the arguments before the call, writes them with its outcome after it."""
        call = self._call(args, kwargs)
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException as error:
            if call is not None:
                call["raised"] = f"{type(error).__module__}.{type(error).__qualname__}"
            raise
        finally:
            if call is not None:
                self._write(call)

    def _call(self, args: Any, kwargs: Any) -> dict[str, Any] | None:
        with self._lock:
            number = self.tests[self.test] = self.tests.get(self.test, 0) + 1
        often = number > EACH_OF_A_TEST and number & (number - 1)
        if often or self._seconds > MAX_SECONDS or self._bytes > MAX_BYTES:
            return None
        begun = time.perf_counter()
        try:
            data = pickled(args, kwargs)
        except Unportable as error:
            self._left_out[str(error)] = self._left_out.get(str(error), 0) + 1
            return None
        finally:
            self._seconds += time.perf_counter() - begun
        digest = hashlib.sha256(data).hexdigest()[:32]
        if digest in self._seen:
            return None
        self._seen.add(digest)
        self._bytes += len(data)
        told = {"test": self.test, "size": size(args, kwargs), "raised": "", "digest": digest}
        return {**told, "pickle": base64.b64encode(data).decode("ascii")}

    def _write(self, line: dict[str, Any]) -> None:
        """At once: a test may end the process."""
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()


def parameters(function: Any) -> list[dict[str, Any]]:
    """What the signature says of each parameter; an annotation as its source text, `""` where there is none."""
    found = []
    for parameter in inspect.signature(function).parameters.values():
        written = parameter.annotation
        if written is parameter.empty:
            text = ""
        else:
            text = written if isinstance(written, str) else inspect.formatannotation(written)
        required = parameter.default is parameter.empty
        found.append({"name": parameter.name, "kind": parameter.kind.name, "type": text, "required": required})
    return found


def pytest_configure(config: Any) -> None:
    """Reads the job."""
    global _capture
    with open(os.environ["BURNISH_CAPTURE"], encoding="utf-8") as file:
        _job.update(json.load(file))
    if "calls" in _job:
        _capture = Capture(_job)


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leaves out what was not asked for."""
    if "tests" not in _job:
        return
    wanted = set(_job["tests"])
    others = [item for item in items if item.nodeid not in wanted]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.nodeid in wanted]


def pytest_collection_finish(session: Any) -> None:
    """All test modules are imported."""
    if _capture is not None:
        _capture.begin()


def pytest_runtest_logstart(nodeid: str, location: Any) -> None:
    """Calls belong to the test that runs."""
    if _capture is not None:
        _capture.test = nodeid


def pytest_unconfigure(config: Any) -> None:
    """The end of the tests."""
    if _capture is not None:
        _capture.end()
