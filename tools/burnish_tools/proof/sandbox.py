"""Everything that runs repository code runs here: bounded in time, memory and output, without any secret.

What a command gets: a fresh process group under a wall-clock limit; limits on memory, CPU time, file size and open
files; an environment built from an allow-list; a home and temporary directory inside the scratch folder; and, where the
kernel allows it, process, mount and network namespaces of its own (`launch.py`). What it is not: a wall against code
that means harm. Files of the user that runs Burnish stay readable; give Burnish a user of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from burnish_tools.proof import launch

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
"""Variables of Burnish's own environment that repository code may see."""
OUTPUT_BYTES = 64 * 1024
OPEN_FILES = 1024
GONE_SECONDS = 0.5
PREFIX = "proof-"
LAUNCHER = (sys.executable, "-I", "-S", launch.__file__)


@dataclass(frozen=True)
class Run:
    """How a sandboxed command ended. `code` is None when it was killed at its time limit."""

    code: int | None
    seconds: float
    output: str
    """The end of its standard output and error, at most 64 kB."""

    @property
    def timed_out(self) -> bool:
        """True when the wall-clock limit ended it."""
        return self.code is None

    def tail(self, lines: int = 12) -> tuple[str, ...]:
        """The last lines of the output that are not blank."""
        return tuple(line for line in self.output.splitlines() if line.strip())[-lines:]


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards. Folders of runs that died are removed first."""
    parent.mkdir(parents=True, exist_ok=True)
    remove_stale(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        with _locked(folder):
            yield folder
    finally:
        _remove(folder)


def remove_stale(parent: Path) -> None:
    """Removes scratch folders whose run is dead: the kernel drops a run's lock however it ends."""
    for folder in sorted(parent.glob(PREFIX + "*")):
        with contextlib.suppress(BlockingIOError, FileNotFoundError), _locked(folder):
            _remove(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    """Repository code may have taken write permission from its own folders."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, _, _ in os.walk(folder):
            os.chmod(path, 0o700)
        shutil.rmtree(folder)


class Conversation:
    """Questions and answers, one line each."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], begun: float, limit: float) -> None:
        self._process = process
        self._errors = errors
        self._begun = begun
        self._limit = limit
        self._read = b""

    def ask(self, question: str) -> str | None:
        """The answer; None where the command has ended or did not answer before its time limit."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(question.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._line()

    def _line(self) -> str | None:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while b"\n" not in self._read:
            left = self._begun + self._limit - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                return None
            read = os.read(handle, OUTPUT_BYTES)
            if not read:
                return None
            self._read += read
        line, _, self._read = self._read.partition(b"\n")
        return line.decode("utf-8", "replace")

    def ended(self) -> Run:
        """Kills what is left and tells how it ended."""
        seconds = time.monotonic() - self._begun
        code = None if seconds >= self._limit else self._process.poll()
        _kill_group(self._process)
        return Run(code, seconds, _tail(self._errors.fileno()))


@dataclass(frozen=True)
class Sandbox:
    """Runs commands for one proof inside one scratch folder."""

    folder: Path
    timeout_seconds: float
    memory_limit_mb: int
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the service needs to start; part of the configuration."""
    network: bool = True
    """False: no network but loopback, where the kernel allows namespaces."""
    file_limit_bytes: int = 2 * 2**30
    """Largest file that a command may write, its output included."""

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> Run:
        """Runs a command to its end or its time limit; nothing it started outlives this call."""
        limit = self.timeout_seconds if timeout_seconds is None else timeout_seconds
        begun = time.monotonic()
        with tempfile.TemporaryFile(dir=self.folder) as output:
            with self._started(
                command, cwd, environment, limit, subprocess.DEVNULL, output.fileno(), output
            ) as process:
                try:
                    code: int | None = process.wait(limit)
                except subprocess.TimeoutExpired:
                    code = None
            return Run(code, time.monotonic() - begun, _tail(output.fileno()))

    @contextlib.contextmanager
    def conversation(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
    ) -> Iterator[Conversation]:
        """A command that is spoken to line by line; it is killed when the context ends."""
        limit = self.timeout_seconds
        with (
            tempfile.TemporaryFile(dir=self.folder) as errors,
            self._started(command, cwd, environment, limit, subprocess.PIPE, subprocess.PIPE, errors) as process,
        ):
            yield Conversation(process, errors, time.monotonic(), limit)

    @contextlib.contextmanager
    def _started(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str] | None,
        limit: float,
        stdin: int,
        stdout: int,
        errors: IO[bytes],
    ) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(
            [*LAUNCHER, json.dumps(self._options(limit)), *command],
            cwd=cwd,
            env=self.clean_environment(environment or {}),
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                _kill_group(process)

    def clean_environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a command: nothing that is not named here reaches it."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        own = {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "BURNISH_SENSOR": "off",
        }
        return {**kept, "TZ": kept.get("TZ", "UTC"), **self.environment, **own, **extra}

    @property
    def isolation(self) -> str:
        """What shields the machine from the command, in words for a check's summary."""
        if not can_isolate():
            return "not isolated from the network (no namespaces on this machine)"
        return "own processes, network left on for the database" if self.network else "isolated from the network"

    def _options(self, limit: float) -> dict[str, object]:
        limits = {
            "AS": self.memory_limit_mb * 2**20,
            "CPU": int(limit) + 1,
            "FSIZE": self.file_limit_bytes,
            "NOFILE": OPEN_FILES,
            "CORE": 0,
        }
        return {"limits": limits, "isolate": can_isolate(), "network": self.network}


_isolates: list[bool] = []


def can_isolate() -> bool:
    """True where namespaces can be made here; asked of the kernel once."""
    if not _isolates:
        options = json.dumps({"limits": {}, "isolate": True, "network": False})
        probe = [*LAUNCHER, options, sys.executable, "-I", "-S", "-c", ""]
        done = subprocess.run(probe, capture_output=True, env={}, timeout=30, check=False)
        _isolates.append(done.returncode == 0)
    return _isolates[0]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """The group, not the process: also after a normal end something may have been left in the background.

    Returns when the group is gone; where nobody reaps orphans, after `GONE_SECONDS` with nothing but zombies left.
    """
    patience_ends = time.monotonic() + GONE_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < patience_ends:
            os.killpg(process.pid, 0)
            time.sleep(0.005)
    process.wait()


def _tail(handle: int) -> str:
    size = os.fstat(handle).st_size
    start = max(0, size - OUTPUT_BYTES)
    return os.pread(handle, OUTPUT_BYTES, start).decode("utf-8", "replace")
