"""One service under load: its server, its driver, samples of its memory, and what its windows say in the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.soak.driver import Driver
from evals.soak.memory import resident

HERE = Path(__file__).resolve().parent
SENSOR = HERE.parents[1] / "sensor"
_PATIENCE_S = 60.0


class SoakError(RuntimeError):
    """A server did not start or did not end; the message ends with its log."""


@dataclass(frozen=True)
class Plan:
    """A server by its command (``{port}`` is put in), the paths that are asked, and a signal now and then."""

    name: str
    command: tuple[str, ...]
    paths: tuple[str, ...]
    users: int = 2
    rate: float = 15.0
    hang_up_every_s: float = 0.0


@dataclass
class Service:
    """A running plan."""

    plan: Plan
    folder: Path
    observed: bool
    samples: list[tuple[float, float]] = field(default_factory=list)
    processes: set[int] = field(default_factory=set)

    def start(self, window_seconds: float) -> None:
        """Start the server and wait until it listens. Raises SoakError."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.folder.mkdir(parents=True)
        self._log = self.folder / "server.log"
        launcher = ["-m", "burnish_sensor", "--", sys.executable] if self.observed else []
        command = [part.replace("{port}", str(port)) for part in self.plan.command]
        with self._log.open("w") as stream:
            self._server = subprocess.Popen(
                [sys.executable, *launcher, *command], cwd=HERE / "services", env=self._environment(window_seconds),
                stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip
        self._await(port)
        self.driver = Driver(port, self.plan.paths, self.plan.users, self.plan.rate)
        self._begun = self._hung_up = time.monotonic()
        self.driver.start()

    def _environment(self, window_seconds: float) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("BURNISH_", "PYTHON"))}
        return {
            **clean,
            "PYTHONPATH": str(SENSOR),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BURNISH_OUTPUT": str(self.folder / "windows"),
            "BURNISH_SERVICE": self.plan.name,
            "BURNISH_WINDOW_SECONDS": str(window_seconds),
        }

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                if time.monotonic() > deadline or self._server.poll() is not None:
                    self.kill()
                    raise SoakError(f"{self.plan.name} does not listen: {self._log.read_text()[-2000:]}") from None
                time.sleep(0.1)
            else:
                return

    def step(self) -> None:
        """Look at the memory, and hang up if it is time to."""
        now = time.monotonic()
        found = resident(self._server.pid)
        self.processes |= found.keys()
        if found:
            self.samples.append((now - self._begun, statistics.fmean(found.values())))
        if self.plan.hang_up_every_s and now - self._hung_up >= self.plan.hang_up_every_s:
            self._hung_up = now
            self._server.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End the load, then the server as a platform would: SIGTERM. Raises SoakError."""
        self.driver.stop()
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise SoakError(f"{self.plan.name} does not end: {self._log.read_text()[-2000:]}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """Whatever is left of the session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._server.pid, signal.SIGKILL)
        self._server.wait(10)

    def complaints(self) -> list[str]:
        """What the sensor said on stderr."""
        return [line for line in self._log.read_text().splitlines() if "burnish_sensor" in line]

    def windows(self) -> list[dict[str, Any]]:
        """All windows of all processes."""
        files = sorted((self.folder / "windows").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def reconcile(
    answers: Counter[tuple[str, int]], routes: Sequence[str], windows: Sequence[dict[str, Any]]
) -> list[tuple[str, int, int, int]]:
    """(entry, status, answers that the driver counted, calls in the windows), for each entry and status of either."""
    asked: Counter[tuple[str, str]] = Counter()
    for (path, status), count in answers.items():
        asked[f"GET {path if path in routes else '<unmatched>'}", str(status)] += count
    told: Counter[tuple[str, str]] = Counter()
    for window in windows:
        for row in window["entries"]:
            told.update({(row["entry"], status): count for status, count in row["status"].items()})
    return [(entry, int(status), asked[entry, status], told[entry, status]) for entry, status in sorted(asked | told)]
