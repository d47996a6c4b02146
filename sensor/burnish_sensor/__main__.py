"""``python -m burnish_sensor``: run a command with the sensor, or tell what the sensor would see."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import CodeType, ModuleType, TracebackType

HELP = """\
usage: python -m burnish_sensor -- COMMAND [ARGUMENTS…]   run a command with the sensor
       python -m burnish_sensor doctor                    what the sensor would see here

  … -- gunicorn shop.wsgi         any command: it and the Python processes that it starts are observed
  … -- python manage.py migrate   a script, in the interpreter that is named
  … -- script.py ARGUMENTS        a script, in this interpreter
  … -- -m package ARGUMENTS       a module, in this interpreter

environment:
  BURNISH_SENSOR=off       observe nothing
  BURNISH_ROOT             the application: modules under it are observed (default: the working directory)
  BURNISH_INCLUDE          packages outside of it to observe too: shop_core,billing
  BURNISH_OUTPUT           where windows go: a directory (default: .burnish/windows under the root), a file ending in
                           .jsonl, unix:/path/to.sock, or http(s)://host[:port][/path]
  BURNISH_TOKEN            sent to http(s):// as "Authorization: Bearer …"
  BURNISH_SPOOL            where windows wait until the socket or http(s):// has taken them (default: .burnish/spool)
  BURNISH_SPOOL_MB         how much may wait there for one service (default: 64)
  BURNISH_SERVICE          the name of the service (default: OTEL_SERVICE_NAME, DD_SERVICE, else the root's folder)
  BURNISH_ENVIRONMENT      default: what OpenTelemetry, Datadog, Sentry or APP_ENV are told, else production
  BURNISH_RELEASE          what runs (default: the git commit where it can be found, else a version)
  BURNISH_WINDOW_SECONDS   the length of a window (default: 10)
  BURNISH_BUDGET           the share of CPU time that observing calls may take (default: 0.01)
  BURNISH_MEMORY_MB        how much memory the sensor may take (default: 32)
  BURNISH_EXEMPLARS        how many calls are looked at for conditions in a second, or off (default: 20)
  BURNISH_NATIVE=off       do not use the compiled core
"""
_INJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inject")
_WITH_VALUE = ("-W", "-X")


def main(arguments: list[str]) -> int:
    """Dispatch. Replaces the process where it can, so that signals and exit codes are the command's own."""
    if arguments[:1] == ["doctor"]:
        from .doctor import report

        print(report())
        return 0
    if arguments[:1] == ["--"] and len(arguments) > 1:
        return _run(arguments[1:])
    print(HELP, end="")
    return 0 if arguments[:1] in (["--help"], ["-h"]) else 2


def _run(command: list[str]) -> int:
    if command[0].endswith(".py") and os.path.isfile(command[0]):
        os.environ.update(_injected(os.environ))
        return _run_script(command[0], command[1:])
    if command[0] == "-m":
        command = [sys.executable, *command]
    command = _through_runner(command)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], command, _injected(os.environ))
    except OSError as error:
        print(f"burnish_sensor: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
    return 127


def _through_runner(command: list[str]) -> list[str]:
    """``python [options] script.py …`` runs through this module, so that the script's own functions are observed."""
    if not os.path.basename(command[0]).startswith("python"):
        return command
    at = 1
    while at < len(command) and command[at].startswith("-") and command[at] not in ("-m", "-c", "-"):
        at += 2 if command[at] in _WITH_VALUE else 1
    if at < len(command) and command[at].endswith(".py"):
        return [*command[:at], "-m", "burnish_sensor", "--", *command[at:]]
    return command


def _injected(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with our ``sitecustomize`` first on PYTHONPATH, and the root fixed for child processes."""
    injected = dict(environ)
    paths = [path for path in injected.get("PYTHONPATH", "").split(os.pathsep) if path and path != _INJECT]
    injected["PYTHONPATH"] = os.pathsep.join([_INJECT, *paths])
    injected.setdefault("BURNISH_ROOT", os.getcwd())
    return injected


def _run_script(path: str, arguments: list[str]) -> int:
    """Run a script as ``__main__``, as the interpreter would."""
    import burnish_sensor

    burnish_sensor.start()
    main_module = ModuleType("__main__")
    main_module.__dict__.update(__file__=path, __builtins__=__builtins__, __spec__=None)
    sys.modules["__main__"] = main_module
    sys.argv[:] = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    code = _compiled(path)
    try:
        with _ScriptEntry(path):
            exec(code, main_module.__dict__)
    except Exception as error:  # noqa: BLE001 - what the interpreter does with it
        trace = _without_us(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


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
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
