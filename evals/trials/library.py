"""A library with its tests, from PyPI, in an environment of its own; run with or without the sensor."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import tempfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SENSOR = HERE.parents[1] / "sensor"
_LONGEST_S = 1_800


class TrialError(RuntimeError):
    """A trial could not be prepared or run; the message names the step and ends with what it printed."""


@dataclass(frozen=True)
class Trial:
    """One table of ``trials.toml``."""

    name: str
    version: str
    source: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One run of the tests. ``outcomes`` by test; ``seen`` is what the windows hold, empty without the sensor."""

    status: int
    outcomes: dict[str, str]
    seen: Counter[str]
    output: str

    def counts(self) -> Counter[str]:
        """How many tests had each outcome."""
        return Counter(self.outcomes.values())


def load_trials(path: Path = HERE / "trials.toml") -> dict[str, Trial]:
    """The trials by name. Raises TypeError for a table with other keys."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Trial(name, needs=tuple(table.pop("needs")), tests=tuple(table.pop("tests")), **table)
        for name, table in tables.items()
    }


@dataclass(frozen=True)
class Library:
    """An unpacked library, and the interpreter of its environment with its version (``3.12``)."""

    trial: Trial
    root: Path
    python: Path
    version: str

    def run(self, observed: bool, tests: Sequence[str] = ()) -> Run:
        """Run the tests (default: all of the trial). Raises TrialError when they take more than half an hour."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command = [str(self.python), "-m", "pytest", "-q", "-p", "trial_outcomes", *(tests or self.trial.tests)]
            if observed:
                command = [str(self.python), "-m", "burnish_sensor", "--", *command]
            try:
                done = subprocess.run(
                    command, cwd=self.root, env=self._environment(folder), stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, errors="replace", timeout=_LONGEST_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise TrialError(f"{self.trial.name}: the tests did not end in {_LONGEST_S} s") from error
            outcomes = _outcomes(folder / "outcomes.jsonl")
            return Run(done.returncode, outcomes, _seen(folder / "windows"), done.stdout + done.stderr)

    def _environment(self, folder: Path) -> dict[str, str]:
        """The same with and without the sensor, but for what the sensor itself adds."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("BURNISH_", "PYTHON"))}
        return {
            **clean,
            "PYTHONPATH": os.pathsep.join([str(self.root / self.trial.source), str(HERE / "plugin")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TRIAL_OUTCOMES": str(folder / "outcomes.jsonl"),
            "BURNISH_ROOT": str(self.root),
            "BURNISH_OUTPUT": str(folder / "windows"),
        }


def prepare(trial: Trial, python: str, cache: Path) -> Library:
    """Fetch, unpack and install what is not in the cache; the sensor is installed anew each time. Raises TrialError."""
    version = _ask([python, "-c", "import sys; print('{}.{}'.format(*sys.version_info[:2]))"])
    folder = cache / f"{trial.name}-{trial.version}-py{version}"
    interpreter = folder / "venv" / "bin" / "python"
    pinned = f"{trial.name}=={trial.version}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _ask([python, "-m", "venv", "--clear", str(folder / "venv")])
        pip = [str(interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _ask([*pip, "download", "--no-deps", "--no-binary", trial.name, "--dest", str(folder), pinned])
        _ask([*pip, "install", pinned, *trial.needs])
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as stream:
            stream.extractall(folder / "source", filter="data")
        (folder / "ready").touch()
    _ask([str(interpreter), "-m", "pip", "--quiet", "install", "--force-reinstall", "--no-deps", str(SENSOR)])
    (root,) = (folder / "source").iterdir()
    return Library(trial, root, interpreter, version)


def _ask(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise TrialError(f"{' '.join(command)} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.strip()


def _outcomes(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["test"]: row["outcome"] for row in rows}


def _seen(folder: Path) -> Counter[str]:
    """Processes, functions, calls and queries in the windows: a trial in which nothing was observed proves nothing."""
    seen: Counter[str] = Counter()
    functions: set[str] = set()
    for file in sorted(folder.glob("*.jsonl")):
        seen["processes"] += 1
        for line in file.read_text(encoding="utf-8").splitlines():
            window = json.loads(line)
            functions.update(row["function"] for row in window["calls"])
            seen["calls"] += sum(row["calls"] for row in window["calls"])
            seen["queries"] += sum(row["executions"] for row in window["queries"])
            seen["dropped"] += sum(window["sensor"]["dropped"].values())
    seen["functions"] = len(functions)
    return seen
