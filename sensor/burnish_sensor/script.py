"""Runs a script as ``__main__``, as the interpreter would, with its own functions observed."""

from __future__ import annotations

import builtins
import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

import burnish_sensor

#: files whose frames are below those of the script and not its own
_RUNNERS = (__file__, os.path.join(os.path.dirname(__file__), "runner.py"))


def run_script(path: str, arguments: list[str], own_folder: bool = True) -> int:
    """Run a script; its exit status. SystemExit and what else is no ``Exception`` is raised.

    ``own_folder``: its folder comes first on ``sys.path``, as the interpreter has it unless it is told otherwise.
    """
    burnish_sensor.start()
    sys.argv[:] = [path, *arguments]
    path = _absolute(path)
    module = _main_module(path)
    sys.modules["__main__"] = module
    if own_folder:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    try:
        code = _compiled(path)
        with _ScriptEntry(path):
            exec(code, module.__dict__)
    except Exception as error:  # noqa: BLE001 - what the interpreter does with it
        trace = _without_us(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    except KeyboardInterrupt:
        _hide_us()
        raise
    return 0


def _absolute(path: str) -> str:
    """As the interpreter makes it: without ``./``, but not normalised."""
    return os.path.join(os.getcwd(), path[2:] if path.startswith("./") else path)


def _main_module(path: str) -> ModuleType:
    module = ModuleType("__main__")
    names: dict[str, Any] = {
        "__file__": path,
        "__builtins__": builtins,
        "__loader__": SourceFileLoader("__main__", path),
    }
    if sys.version_info < (3, 14):
        names.update(__annotations__={}, __cached__=None)
    module.__dict__.update(names)
    return module


class _ScriptEntry:
    """The entry ``script:name`` of a script; its status is the exit code. What it serves has entries of its own."""

    def __init__(self, path: str) -> None:
        from . import runtime

        self._entries = runtime.active.probe.entries if runtime.active is not None else None
        self._name = "script:" + os.path.splitext(os.path.basename(path))[0]

    def __enter__(self) -> None:
        self._entry = self._entries.begin("script", self._name) if self._entries is not None else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entries is None or self._entry is None:
            return
        status = 0 if error is None else 1
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            error = None if status == 0 else error
        self._entries.end(self._entry, status=status, error=error)


def _compiled(path: str) -> CodeType:
    """The script's code: rewritten where the sensor runs and may, else plain."""
    from . import runtime

    with open(path, "rb") as stream:
        data = stream.read()
    code = None
    if runtime.active is not None:
        compiler = runtime.active.mechanism.compiler
        relative = compiler.territory.relative(path) if compiler is not None else None
        if compiler is not None and relative is not None:
            code = compiler.compile(data, path, relative[:-3].replace("/", "."))
    return code or compile(data, path, "exec", dont_inherit=True)


def _without_us(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the script's own first frame on."""
    own = trace
    while trace is not None:
        ours = trace.tb_frame.f_code.co_filename in _RUNNERS
        trace = trace.tb_next
        own = trace if ours else own
    return own


def _hide_us() -> None:
    """The interpreter will report an exception that ends it: without the frames that are ours."""
    report = sys.excepthook

    def reporting(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        trace = _without_us(trace)
        report(kind, error.with_traceback(trace), trace)

    sys.excepthook = reporting
