"""A server as a tree of processes: started, its CPU time read, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.bench.sensor.errors import DoesNotRun


class Server:
    """A running server in a process group of its own. Raises DoesNotRun where it does not come up."""

    def __init__(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str], port: int, path: str, log: Path
    ) -> None:
        self.url, self.log = f"http://127.0.0.1:{port}", log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                command, cwd=cwd, env=dict(environ), stdout=stream, stderr=stream, start_new_session=True
            )
        try:
            self._wait(path)
        except BaseException:
            self.stop()
            raise

    def cpu_ns(self) -> int:
        """CPU time of the server and its workers so far, to the nanosecond: the process clocks, not the 10 ms ticks."""
        return sum(_clock(pid) for pid in tree(self._process.pid))

    def memory_kb(self) -> int:
        """Resident memory of all its processes; pages that workers share count once for each."""
        return sum(_resident_kb(pid) for pid in tree(self._process.pid))

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after ten seconds."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(10)
                except subprocess.TimeoutExpired:
                    continue

    def _wait(self, path: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise DoesNotRun(f"the server does not answer; the end of its log: {self.tail()}")

    def tail(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()[-500:]


def tree(root: int) -> list[int]:
    """A process and its descendants, in no particular order."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(_parent(entry), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _clock(pid: int) -> int:
    """A process's CPU clock; its id is made as `clock_getcpuclockid(3)` makes it on Linux. 0 when it has ended."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
