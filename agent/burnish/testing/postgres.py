"""A throw-away PostgreSQL server on loopback, for tests and the demo. Needs the server's programs on the machine.

In a temporary directory, on an ephemeral port of 127.0.0.1, without a socket file and without fsync; stopped and
removed at the end. As root it runs as the user `postgres`, because the server refuses root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60
"""Longest that a step of starting or stopping may take."""


class PostgresMissing(Exception):
    """There is no server here to start; the message says what to install."""


@dataclass(frozen=True)
class Cluster:
    """A running server; its user is a superuser."""

    port: int

    @classmethod
    @contextmanager
    def started(cls, preload: str = "") -> Iterator[Cluster]:
        """Starts one for a while, with the libraries named in `preload`. Raises PostgresMissing."""
        programs, owner = _programs(), _owner()
        directory = Path(tempfile.mkdtemp(prefix="burnish-postgres-"))
        try:
            if owner:
                shutil.chown(directory, "postgres")
            with _served(programs, owner, directory, preload) as port:
                yield cls(port)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Where a database is."""
        return f"postgres://burnish@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> None:
        """An empty database."""
        self._execute(f'CREATE DATABASE "{database}"')

    def copy(self, source: str, target: str) -> None:
        """A copy of a database that nobody is connected to; an older copy of that name goes."""
        self._execute(f'DROP DATABASE IF EXISTS "{target}"')
        self._execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def _served(programs: Path, owner: list[str], directory: Path, preload: str) -> Iterator[int]:
    data, port = directory / "data", _free_port()
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c fsync=off"
    if preload:
        options += f" -c shared_preload_libraries={preload}"
    initdb = ["initdb", "-D", str(data), "-U", "burnish", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    start = ["pg_ctl", "-D", str(data), "-w", "-t", "30", "-l", str(directory / "log"), "-o", options, "start"]
    _run(programs, owner, directory, initdb)
    _run(programs, owner, directory, start)
    try:
        yield port
    finally:
        _run(programs, owner, directory, ["pg_ctl", "-D", str(data), "-m", "immediate", "-t", "30", "stop"])


def _run(programs: Path, owner: list[str], directory: Path, command: list[str]) -> None:
    done = subprocess.run(
        [*owner, str(programs / command[0]), *command[1:]],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never close
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        log = directory / "log"
        last = log.read_text()[-300:] if log.exists() else "no log"
        raise PostgresMissing(f"PostgreSQL did not start here: {command[0]} ended with {done.returncode} ({last})")


def _programs() -> Path:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if shutil.which("pg_config"):
        found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False, timeout=SECONDS)
        candidates.insert(0, Path(found.stdout.strip()))
    for path in candidates:
        if (path / "initdb").exists() and (path / "postgres").exists():
            return path
    raise PostgresMissing("PostgreSQL's server programs are not on this machine: install Debian's package `postgresql`")


def _version(path: Path) -> float:
    try:
        return float(path.parent.name)
    except ValueError:
        return 0.0


def _owner() -> list[str]:
    """What to put before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError as error:
        raise PostgresMissing("running as root, and there is no user `postgres` to start the server as") from error
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
