"""The services that are measured: what each needs, how its data is made, how it is served, what it is asked.

A service is a description; another one is another object in `SERVICES`. All use PostgreSQL, one throw-away server for
all variants of a service.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.bench.sensor.environments import REPOSITORY, Environment
from evals.bench.sensor.errors import BenchError

HOME = REPOSITORY / "evals" / "services"


@dataclass(frozen=True)
class Service:
    """A service under `evals/services/`. Words of `serve` and `prepare` follow `python -m` or are a script's;
    `{port}` stands for the port. `health` is a path that answers as soon as it is up. `application` is "module:name"
    of a WSGI application, or "module:name()" of a function that makes an ASGI one."""

    name: str
    serve: Sequence[str]
    prepare: Sequence[Sequence[str]]
    application: str
    health: str = "/"
    scale: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)
    requirements: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        """Its source."""
        return HOME / self.name / "service"

    @property
    def mix(self) -> Path:
        """Its traffic."""
        return HOME / self.name / "mix.toml"

    def all_requirements(self) -> list[str]:
        """What must be installed: the list here, and its own requirements.txt."""
        file = self.folder / "requirements.txt"
        own = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [*self.requirements, *(line.partition("#")[0].strip() for line in own if line.partition("#")[0].strip())]

    def copy_to(self, directory: Path) -> Path:
        """A copy of the source, so that nothing is written beside it."""
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".pytest_cache", ".venv")
        return Path(shutil.copytree(self.folder, directory / self.name, ignore=ignored))

    def make_data(self, environment: Environment, folder: Path, database: str) -> None:
        """Its tables and rows. Raises BenchError with the end of what the failing step said."""
        environ = environment.environ({**self.environment, "DATABASE_URL": database})
        for words in self.prepare:
            command = [str(environment.python), *words]
            done = subprocess.run(
                command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False
            )
            if done.returncode:
                raise BenchError(f"{self.name}: {' '.join(words)} failed:\n{done.stderr.strip()[-600:]}")

    def command(self, port: int) -> list[str]:
        """How it is served, without the interpreter: `-m` and a module with its arguments."""
        return [word.replace("{port}", str(port)) for word in self.serve]


SHOP = Service(
    name="shop",
    serve=("-m", "gunicorn", "--workers", "1", "--bind", "127.0.0.1:{port}", "shop.wsgi"),
    prepare=(
        ("manage.py", "migrate", "--noinput", "--verbosity", "0"),
        ("manage.py", "generate_data", "--seed", "1", "--scale", "0.02"),
    ),
    application="shop.wsgi:application",
    health="/healthz",
    scale=0.02,
    requirements=("django>=5.2,<5.3", "gunicorn>=23", "psycopg[binary]>=3.2"),
)
LEDGER = Service(
    name="ledger",
    serve=(
        *("-m", "uvicorn", "--factory", "ledger.main:create_app", "--host", "127.0.0.1", "--port", "{port}"),
        *("--no-access-log", "--log-level", "warning"),
    ),
    prepare=(("-m", "ledger.migrate"), ("-m", "ledger.seed", "--scale", "0.1")),
    application="ledger.main:create_app()",
    health="/health",
    scale=0.1,
)
SERVICES = (SHOP, LEDGER)


def chosen(names: Sequence[str]) -> list[Service]:
    """The services of these names, without names all that are here. Raises BenchError."""
    known = {service.name: service for service in SERVICES}
    for name in names:
        if name not in known:
            raise BenchError(f"--services {name}: there are {', '.join(known)}")
        if not known[name].mix.exists():
            raise BenchError(f"--services {name}: {os.path.relpath(known[name].mix)} is missing")
    return [known[name] for name in names] or [service for service in SERVICES if service.mix.exists()]
