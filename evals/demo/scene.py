"""The stage: a service in its own git repository, with data, under the sensor, and a configuration for Burnish.

What is on disk afterwards is what a team would have: a bare repository (`origin.git`), a checkout that is "production",
its database and access log, a snapshot of the database for proofs, the sensor's windows, and `burnish.toml`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICE = REPOSITORY / "evals" / "services" / "shop"
MARKER = "made-by-burnish-demo"
WINDOW_SECONDS = "1"
WORKERS = 2
GIT = ("git", "-c", "user.name=Shop Team", "-c", "user.email=team@shop.example", "-c", "init.defaultBranch=main")
Say = Callable[[str], None]


class DemoError(Exception):
    """The stage broke: what, and what to look at."""


@dataclass(frozen=True)
class Databases:
    """Production's database and its snapshot, with the step that copies one to the other."""

    live: str
    snapshot: str
    copy: Callable[[], None]


def on_sqlite(directory: Path) -> Databases:
    """Both are files in the demo's directory."""
    live, snapshot = directory.resolve() / "shop.sqlite3", directory.resolve() / "snapshot.sqlite3"

    def copy() -> None:
        with sqlite3.connect(live) as source, sqlite3.connect(snapshot) as target:
            source.backup(target)

    return Databases(f"sqlite:///{live}", f"sqlite:///{snapshot}", copy)


def on_postgres(stack: ExitStack, say: Say) -> Databases:
    """A throw-away PostgreSQL server on loopback, stopped and removed at the end."""
    from burnish.testing.postgres import Cluster, PostgresMissing

    say("starting a throw-away PostgreSQL server on loopback")
    try:
        cluster = stack.enter_context(Cluster.started())
    except PostgresMissing as error:
        raise DemoError(str(error)) from error
    cluster.create("shop")
    return Databases(cluster.url("shop"), cluster.url("shop_snapshot"), lambda: cluster.copy("shop", "shop_snapshot"))


@dataclass
class Scene:
    """The running stage."""

    directory: Path
    databases: Databases
    seed: int
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, directory: Path, databases: Databases, seed: int, say: Say) -> Scene:
        """Everything but the running service. An older demo in the directory is replaced; anything else is not."""
        if directory.exists() and any(directory.iterdir()) and not (directory / MARKER).exists():
            raise DemoError(f"{directory}: is not empty and not from an earlier demo; choose another --directory")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / MARKER).touch()
        scene = cls(directory, databases, seed, port=_free_port())
        scene.environment = {**os.environ, "DATABASE_URL": databases.live, "PYTHONUNBUFFERED": "1"}
        say("a Django shop in its own git repository")
        scene._make_repository()
        say("migrations and data")
        scene.manage("migrate", "--noinput", "--verbosity", "0")
        scene.manage("generate_data", "--seed", str(seed))
        databases.copy()
        scene._write_config()
        return scene

    @property
    def checkout(self) -> Path:
        """What is deployed."""
        return self.directory / "production"

    @property
    def config(self) -> Path:
        """Burnish's configuration."""
        return self.directory / "burnish.toml"

    def manage(self, *arguments: str) -> None:
        """A management command in production's checkout."""
        self._call(sys.executable, "manage.py", *arguments, cwd=self.checkout)

    def start(self) -> None:
        """Starts the service with the sensor, from outside: not a line of its code knows."""
        variables = {
            "BURNISH_SERVICE": "shop",
            "BURNISH_OUTPUT": str(self.directory / "windows"),
            "BURNISH_WINDOW_SECONDS": WINDOW_SECONDS,
        }
        self._serve(variables, "-m", "burnish_sensor", "--", sys.executable)

    def _serve(self, variables: Mapping[str, str], *before: str, options: Sequence[str] = ()) -> None:
        """Starts gunicorn, with what comes `before` it on the command line of Python, until it answers."""
        gunicorn = ["-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{self.port}"]
        gunicorn += ["--access-logfile", str(self.directory / "access.log"), *options]
        with (self.directory / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *before, *gunicorn, "shop.wsgi"],
                cwd=self.checkout,
                env={**self.environment, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stops the service as a deployment does: SIGTERM, then SIGKILL after ten seconds."""
        if self.process is None or self.process.poll() is not None:
            self.process = None
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.process = None

    def deploy(self) -> str:
        """Pulls main, migrates, restarts; returns the commit that runs now."""
        self.stop()
        self._git("pull", "--quiet", "--ff-only", cwd=self.checkout)
        self.manage("migrate", "--noinput", "--verbosity", "0")
        self.start()
        return self._git("rev-parse", "HEAD", cwd=self.checkout)

    def _git(self, *arguments: str, cwd: Path) -> str:
        return self._call(*GIT, *arguments, cwd=cwd).strip()

    def _call(self, *command: str, cwd: Path) -> str:
        done = subprocess.run(
            command, cwd=cwd, env=self.environment or None, capture_output=True, text=True, timeout=180, check=False
        )
        if done.returncode:
            shown = (done.stderr or done.stdout).strip().splitlines()[-8:]
            raise DemoError(f"{' '.join(command[:4])} … failed ({done.returncode}):\n" + "\n".join(shown))
        return done.stdout

    def _make_repository(self) -> None:
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".pytest_cache", ".git")
        shutil.copytree(SERVICE / "service", self.checkout, ignore=ignored)
        (self.checkout / ".gitignore").write_text("__pycache__/\n*.sqlite3*\n.pytest_cache/\n", encoding="utf-8")
        origin = self.directory / "origin.git"
        self._git("init", "--quiet", "--bare", str(origin), cwd=self.directory)
        self._git("init", "--quiet", cwd=self.checkout)
        self._git("add", "--all", cwd=self.checkout)
        self._git("commit", "--quiet", "-m", "Shop as of today", cwd=self.checkout)
        self._git("remote", "add", "origin", str(origin), cwd=self.checkout)
        self._git("push", "--quiet", "--set-upstream", "origin", "main", cwd=self.checkout)

    def _write_config(self) -> None:
        text = (Path(__file__).parent / "burnish.toml").read_text(encoding="utf-8")
        text = text.replace("{live}", self.databases.live).replace("{snapshot}", self.databases.snapshot)
        self.config.write_text(text, encoding="utf-8")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise DemoError(f"the service does not answer; see {self.directory / 'service.log'}")


def shown(path: Path) -> str:
    """A path as a person in this directory would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def burnish_command() -> str:
    """How to call burnish from this directory: scripts/demo has its own virtual environment."""
    return shown(Path(sys.executable).with_name("burnish"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
