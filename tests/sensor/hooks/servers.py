"""Real database servers on 127.0.0.1, each the test session's own, in a temporary folder, gone with it.

Where the machine has no such server, the tests that need it are skipped and say what to install.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 60


def program(package: str, *names: str) -> str:
    """The first of some programs that is here."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        found = shutil.which(name, path=places)
        if found:
            return found
    pytest.skip(f"no {names[0]} on this machine: install Debian's package `{package}`")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server() -> Iterator[int]:
    """The port of a Redis server that writes nothing to disk."""
    binary, port = program("redis-server", "redis-server", "valkey-server"), free_port()
    with _folder() as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        with _served([binary, *options], port):
            yield port


@contextmanager
def mariadb_server() -> Iterator[int]:
    """The port of a MariaDB server with a database ``test`` and a user ``u`` without a password."""
    package = "mariadb-server"
    binary, installer = program(package, "mariadbd", "mysqld"), program(package, "mariadb-install-db")
    user = ["--user=mysql"] if _has_user("mysql") else []
    with _folder() as folder:
        if user:
            shutil.chown(folder, "mysql")
        data, port, prepare = folder / "data", free_port(), folder / "prepare.sql"
        grants = ("CREATE DATABASE test;", "CREATE USER u@'127.0.0.1';", "GRANT ALL ON test.* TO u@'127.0.0.1';")
        prepare.write_text("\n".join(grants) + "\n")  # one on a line: so the server reads them
        prepare.chmod(0o644)
        create = [installer, "--no-defaults", f"--datadir={data}", "--skip-test-db", *user]
        subprocess.run(create, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        small = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        place = [f"--datadir={data}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
        net = [f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={prepare}"]
        with _served([binary, "--no-defaults", *place, *net, *small, *user], port):
            yield port


def _has_user(name: str) -> bool:
    """Whether a server must run as this user: it refuses root."""
    if os.geteuid() != 0:
        return False
    try:
        pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"running as root, and there is no user `{name}` to start the server as")
    return True


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="burnish-server-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _served(command: list[str], port: int) -> Iterator[None]:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(server, port)
        yield
    finally:
        server.terminate()
        try:
            server.wait(SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(SECONDS)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"{server.args!r} ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{server.args!r} does not listen on port {port}")
