"""Runs rewritten source in this process, with a clock that only moves when told to."""

from __future__ import annotations

import ast
import builtins
import json
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from burnish_sensor.entries.entries import Entries
from burnish_sensor.exemplars.exemplars import Exemplars
from burnish_sensor.governor.governor import Governor
from burnish_sensor.mechanisms.exchange import CodeExchange
from burnish_sensor.mechanisms.registry import Registry, Source
from burnish_sensor.mechanisms.rewrite import rewrite
from burnish_sensor.mechanisms.suspension import Suspension
from burnish_sensor.mechanisms.variants import Slots
from burnish_sensor.probe import Probe
from burnish_sensor.queries.dependencies import DependencyLog
from burnish_sensor.queries.statements import Statements
from burnish_sensor.recording.native import NativeRecorder, load
from burnish_sensor.recording.recorder import Recorder
from burnish_sensor.windows.flush import FORMAT
from burnish_sensor.windows.window import Window

ROOT = Path(__file__).resolve().parents[2]


class FakeClock:
    """Nanoseconds that pass only through ``advance``."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now

    def advance(self, ns: int) -> None:
        self.now += ns


class Bench:
    """A recorder with its hooks, outside ``builtins``: each test has its own. ``native``: that over the extension."""

    native = False

    def __init__(self, budget: float = 1.0) -> None:
        self.clock = FakeClock()
        self.registry = Registry()
        self.statements = Statements()
        self.recorder: Any = NativeRecorder(load(), self.clock) if self.native else Recorder(self.clock)
        suspension = Suspension(self.recorder)
        self.builtins: dict[str, Any] = dict(vars(builtins))
        self.slots = Slots(self.builtins)
        self.draw = random.Random(1)
        self.switch = CodeExchange(self.slots, self.registry, self.recorder.sampling)
        self.governor = Governor(
            self.recorder.sampling, self.switch, self.registry, budget, self.clock, self.clock, self.draw
        )
        self.hooks = {**self.recorder.call_hooks(), **suspension.hooks(), "__burnish_define__": self.slots.__getitem__}
        self.builtins.update(self.hooks)
        self.entries = Entries(self.recorder, suspension)
        log = self.recorder.query_log(self.statements, self.registry.files)
        self.dependencies = DependencyLog(self.recorder)
        self.probe = Probe(self.clock, log, self.dependencies, self.entries)

    def load(self, text: str, module: str = "app", file: str = "app.py") -> dict[str, Any]:
        """The namespace of a module; ``tick(ns)`` and ``bench`` are known in it."""
        text = textwrap.dedent(text)
        tree = ast.parse(text)
        rewrite(tree, module, file, Source(text), self.registry.add)
        namespace = {"__name__": module, "tick": self.clock.advance, "bench": self, "__builtins__": self.builtins}
        self.registry.files[file] = file
        exec(compile(tree, file, "exec", dont_inherit=True), namespace)
        return namespace

    def query(self, sql: str, parameters: Any = (), rows: int = 0, took: int = 10) -> None:
        """What a database hook does for one execution and its fetch."""
        guard = self.probe.statement()
        assert guard is not None
        self.clock.advance(took)
        execution = self.probe.executed(guard, sql, parameters, "sqlite")
        self.probe.fetched(execution, rows, 0)

    def look(self, rate: float = 20.0) -> Exemplars:
        """Exemplars of the calls from now on, by drawing the same numbers in each run."""
        if not self.native:
            self.recorder.triggers.draw = random.Random(2)
        exemplars = Exemplars(
            self.registry,
            self.clock,
            self.recorder.context,
            self.recorder.set_trigger,
            lambda function: function in self.recorder.sampling.shed,
            rate=rate,
            draw=random.Random(3),
            missing=self.recorder.missing,
            screen=self.recorder.screen,
        )
        self.recorder.show_to(exemplars.capture)
        return exemplars

    def tables(self) -> dict[str, Any]:
        """The tables of the window of everything so far."""
        window = Window(500)
        self.recorder.take(window)
        return window.to_dict(self.registry, self.statements)

    def calls(self) -> dict[str, dict[str, Any]]:
        """Call rows by the bare name of the function, in short: calls, wall and own time in sum, callers, errors."""
        return {bare(row["function"]): short(row) for row in self.tables()["calls"]}


def short(row: dict[str, Any]) -> dict[str, Any]:
    """A call row without its buckets."""
    return {
        "calls": row["calls"],
        "wall": row["wall"]["sum"],
        "own": row["own"]["sum"],
        "callers": {bare(name): n for name, n in row["callers"].items()},
        "errors": row["errors"],
    }


def bare(name: str) -> str:
    return name.partition(":")[2]


def run(code: str | list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with the sensor's package on the path: code, or arguments."""
    arguments = ["-c", textwrap.dedent(code)] if isinstance(code, str) else code
    environment = sensed(**environ)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def windows(folder: Path) -> list[dict[str, Any]]:
    """All windows under the default output directory of an application in ``folder``, each file in order."""
    files = sorted((folder / ".burnish" / "windows").glob("*.jsonl"))
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert all(window["format"] == FORMAT for window in found)
    return found


def write(folder: Path, **files: str) -> None:
    """Write each text as ``<name>.py``; a name may hold ``/``."""
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def sensed(**environ: str) -> dict[str, str]:
    """The environment of a process with the sensor's package on its path, without settings of this one."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("BURNISH_", "PYTHON"))}
    return {
        **clean,
        "PYTHONPATH": str(ROOT / "sensor"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BURNISH_WINDOW_SECONDS": "3600",
        "BURNISH_BUDGET": "1",
        **environ,
    }
