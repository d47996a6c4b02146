"""Command lines and environments: how a command is started so that the sensor is in it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

from .settings import OFF

_HERE = os.path.dirname(os.path.abspath(__file__))
INJECT = os.path.join(_HERE, "inject")
_RUNNER = os.path.join(_HERE, "runner.py")
_WITH_VALUE = ("-W", "-X")
_NOT_FOUND, _CANNOT_RUN = 127, 126


def is_off(environ: Mapping[str, str]) -> bool:
    """Whether the sensor is switched off."""
    return environ.get("BURNISH_SENSOR", "").strip().lower() in OFF


def injected(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with our ``sitecustomize`` first on PYTHONPATH, and the root fixed for child processes."""
    result = dict(environ)
    paths = [path for path in result.get("PYTHONPATH", "").split(os.pathsep) if path and path != INJECT]
    result["PYTHONPATH"] = os.pathsep.join([INJECT, *paths])
    result.setdefault("BURNISH_ROOT", os.getcwd())
    return result


def exports(environ: Mapping[str, str]) -> str:
    """The variables that ``injected`` sets, as commands for a POSIX shell; one for each line."""
    result = injected(environ)
    return "".join(f"export {name}={shlex.quote(result[name])}\n" for name in ("PYTHONPATH", "BURNISH_ROOT"))


def execute(command: list[str], environ: dict[str, str], observe: bool = False) -> int:
    """Replace this process by the command. Returns only if that fails: 127 not found, 126 cannot be run, as env(1)."""
    if observe and not is_off(environ):
        command, environ = through_runner(command), injected(environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], command, environ)
    except FileNotFoundError as error:
        print(f"burnish_sensor: cannot run {command[0]}: {_missing(command[0], error)}", file=sys.stderr)
        return _NOT_FOUND
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        print(f"burnish_sensor: cannot run {command[0]}: {reason}", file=sys.stderr)
    return _CANNOT_RUN


def _missing(name: str, error: OSError) -> str:
    """Why a command was not found: the interpreter of a script may be what is missing."""
    if not os.path.exists(name):
        return str(error.strerror) if os.path.dirname(name) else "no such command on PATH"
    if not os.path.dirname(name):
        return f"no such command on PATH; the file of the working directory is ./{name}"
    return "it is there, but the interpreter that its first line names is not"


def through_runner(command: list[str]) -> list[str]:
    """``python [options] script.py …`` runs through ``runner.py``, so that the script's own functions are observed.

    Says so where the options of the interpreter keep the sensor out.
    """
    if not os.path.basename(command[0]).startswith("python"):
        return command
    at = 1
    while (
        at < len(command) and command[at].startswith("-") and command[at][:2] not in ("-m", "-c") and command[at] != "-"
    ):
        at += 2 if command[at] in _WITH_VALUE else 1
    if at < len(command) and command[at].endswith(".py") and os.path.isfile(command[at]):
        return [*command[:at], _RUNNER, *command[at:]]
    keeping = [option for option in command[1:at] if _keeps_out(option)]
    if keeping:
        print(
            f"burnish_sensor: not observed: {keeping[0]} makes Python ignore PYTHONPATH or sitecustomize, by which the "
            "sensor gets in. Leave it out, or call burnish_sensor.start() in the application.",
            file=sys.stderr,
        )
    return command


def _keeps_out(option: str) -> bool:
    """Whether an option, or several in one word as ``-sE``, is -I, -E or -S."""
    return not option.startswith(("--", *_WITH_VALUE)) and any(letter in option for letter in "IES")
