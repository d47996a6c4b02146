"""The bench's own virtual environments, one per Python version, in a cache outside the repository.

A third-party package is installed once for each set of requirements; the sensor is installed from `sensor/` by pip
whenever its files have changed, so that its native core is built exactly as a user's pip would build it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evals.bench.sensor.errors import BenchError

REPOSITORY = Path(__file__).resolve().parents[3]
SENSOR = REPOSITORY / "sensor"
VERSIONS = ("3.11", "3.12", "3.13")
RIVALS = (
    "yappi==1.7.6",
    "pyinstrument==5.1.3",
    "ddtrace==4.16.0",
    "opentelemetry-sdk==1.45.1",
    "opentelemetry-exporter-otlp-proto-http==1.45.1",
    "opentelemetry-distro==0.66b1",
    "opentelemetry-instrumentation-asyncpg==0.66b1",
    "opentelemetry-instrumentation-django==0.66b1",
    "opentelemetry-instrumentation-fastapi==0.66b1",
    "opentelemetry-instrumentation-psycopg==0.66b1",
    "opentelemetry-instrumentation-sqlalchemy==0.66b1",
)
"""Pinned: these were measured, and pip finds no set of the instrumentations by itself in every order."""
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the sensor. `variables` are set for everything that runs in it."""

    version: str
    python: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As titles say it."""
        return f"Python {self.version}{' without the native core' if self.variables else ''}"

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process: few of ours, so that none of this shell's settings is measured."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        path = os.pathsep.join([str(self.python.parent), kept.get("PATH", os.defpath)])
        return {**kept, "PATH": path, **self.variables, **more}


def default_cache() -> Path:
    """Where environments are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "burnish-bench"


def interpreter(version: str) -> Path:
    """The newest `python3.X` on PATH or under pyenv. Raises BenchError."""
    on_path = shutil.which(f"python{version}")
    under_pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"), reverse=True)
    for candidate in [*under_pyenv, *([Path(on_path)] if on_path else [])]:
        code = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
        if subprocess.run([candidate, "-c", code], capture_output=True, check=False).returncode == 0:
            return candidate
    raise BenchError(f"Python {version} is neither on PATH nor under ~/.pyenv/versions: install it or leave it out")


def environment(version: str, cache: Path, requirements: Iterable[str], *, pure: bool = False) -> Environment:
    """The environment of a version, made where it is not there yet. Raises BenchError with what pip said.

    `pure` measures the sensor without its native core.
    """
    source = interpreter(version)
    wanted = sorted(set(requirements))
    folder = cache / f"{version}-{_digest([str(source.resolve()), *wanted])}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([str(source), "-m", "venv", str(folder)])
        if wanted:
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        (folder / "ready").touch()
    _install_sensor(folder, python)
    return Environment(version, python, {"BURNISH_NATIVE": "off"} if pure else {})


def _install_sensor(folder: Path, python: Path) -> None:
    files = sorted(p for p in SENSOR.rglob("*") if p.is_file() and p.suffix in (".py", ".c", ".h", ".toml"))
    now = _digest(f"{path.relative_to(SENSOR)}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    marker = folder / "sensor"
    if marker.exists() and marker.read_text(encoding="utf-8") == now:
        return
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--force-reinstall", "--no-deps", "--no-cache-dir", str(SENSOR)])
    marker.write_text(now, encoding="utf-8")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        said = [line for line in done.stderr.strip().splitlines() if not line.startswith("WARNING")]
        last = "\n".join(line[:300] for line in said[-6:])
        raise BenchError(f"{' '.join(command[:5])} … failed ({done.returncode}):\n{last}")


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
