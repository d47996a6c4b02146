"""What the sensor would see here, and what would not work: for a person who wonders why nothing arrives."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping

from .. import __version__
from ..mechanisms.importer import Territory
from ..mechanisms.mechanism import try_out
from ..recording.meter import Costs
from ..release import COMMIT_VARIABLES, VERSION_VARIABLES
from ..settings import Settings, read
from .findings import Finding
from .libraries import examine_libraries
from .output import examine_output

_ENOUGH_FILES = 20_000


def main(as_json: bool) -> int:
    """Print what was found; 1 if something would not work, else 0."""
    findings = list(examine(os.environ, os.getcwd()))
    problems = [finding for finding in findings if finding.problem]
    if as_json:
        print(json.dumps({"ok": not problems, "findings": [finding.to_dict() for finding in findings]}, indent=2))
        return int(bool(problems))
    for finding in findings:
        print(f"{finding.name:<12} {finding.value}")
    for finding in problems:
        print(f"problem: {finding.name}: {finding.problem}")
    return int(bool(problems))


def examine(environ: Mapping[str, str], cwd: str) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which a person would ask."""
    settings, complaints = read(environ, cwd)
    yield _switch(settings)
    yield Finding("python", "{}.{}.{} {}".format(*sys.version_info[:3], sys.executable))
    mechanism, costs = try_out(settings.root, settings.include, settings.native)
    yield _mechanism(mechanism)
    yield from _names(settings, environ)
    yield from _modules(settings)
    yield from examine_libraries(settings)
    yield examine_output(settings.output)
    yield Finding("window", f"{settings.window_seconds:g} s")
    yield from _cost(settings, costs)
    yield from (Finding(complaint.split("=")[0].split()[0], "is not used", complaint) for complaint in complaints)


def _switch(settings: Settings) -> Finding:
    if settings.enabled:
        return Finding("sensor", f"{__version__}, on")
    return Finding("sensor", f"{__version__}, off", "BURNISH_SENSOR switches it off: unset it")


def _mechanism(name: str) -> Finding:
    """How calls are observed, and why not in a cheaper way."""
    try:
        from importlib import import_module

        import_module("burnish_sensor.recording._core")
        native = ""
    except ImportError as error:
        native = f"; no native core ({error.msg}): it samples more"
    return Finding("mechanism", name + native)


def _names(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Service, environment and release, and where each was taken from."""
    yield Finding("service", f"{settings.service} ({_origin(environ, ['BURNISH_SERVICE'], 'the folder of the root')})")
    environment = _origin(environ, ["BURNISH_ENVIRONMENT"], "the default, or the platform's variable")
    yield Finding("environment", f"{settings.environment} ({environment})")
    found = "nothing tells it: set BURNISH_RELEASE" if settings.release == "unknown" else "found under the root"
    yield Finding("release", f"{settings.release} ({_origin(environ, (*COMMIT_VARIABLES, *VERSION_VARIABLES), found)})")


def _origin(environ: Mapping[str, str], names: tuple[str, ...] | list[str], otherwise: str) -> str:
    return next((f"from {name}" for name in names if environ.get(name, "").strip()), otherwise)


def _modules(settings: Settings) -> Iterator[Finding]:
    """The files that would be observed; none at all is the usual reason for empty windows."""
    if not os.path.isdir(settings.root):
        yield Finding("root", settings.root, "no such folder: set BURNISH_ROOT to that of the application")
        return
    problem = ""
    if os.path.dirname(settings.root) == settings.root:
        problem = "the whole machine is taken for the application: set BURNISH_ROOT to its folder"
    yield Finding("root", settings.root, problem)
    files, outside = count_files(settings.root)
    some = f"{files} files to observe" if files <= _ENOUGH_FILES else f"more than {_ENOUGH_FILES} files to observe"
    left_out = f", {outside} folders left out" if outside else ""
    none = "" if files else "no Python file of the application is there: set BURNISH_ROOT to its folder"
    yield Finding("modules", some + left_out, none)


def count_files(root: str) -> tuple[int, int]:
    """How many Python files under the root are the application's, and how many folders are not; bounded."""
    territory, files, outside = Territory(root), 0, 0
    for folder, folders, names in os.walk(root):
        kept = [name for name in folders if territory.relative(os.path.join(folder, name, "x.py"))]
        outside += len(folders) - len(kept)
        folders[:] = [name for name in kept if not name.startswith(".") and name != "__pycache__"]
        files += sum(name.endswith(".py") for name in names)
        if files > _ENOUGH_FILES:
            break
    return files, outside


def _cost(settings: Settings, costs: Costs) -> Iterator[Finding]:
    """What a recorded call costs on this machine, and what may be spent."""
    call = costs.call
    rate = settings.budget / 2 * 1e9 / call
    limit = f"at most {settings.budget:.2%} of CPU time: beyond {rate:,.0f} calls each second of it they are sampled"
    yield Finding("cost", f"{call:.0f} ns for each call recorded, {limit}")
    megabytes = settings.memory_mb
    caps = f"{settings.functions:,} functions, {settings.statements:,} statements, {settings.entries:,} entries"
    yield Finding("caps", caps + f", {megabytes:g} MB")
