"""Runs a program as it is and with the sensor: the host must not see the difference."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.sensor.support import ROOT, windows

SENSOR = str(ROOT / "sensor")
#: the smallest budget there is: whatever is called often is sampled
STINGY = {"BURNISH_BUDGET": "0.0001", "BURNISH_WINDOW_SECONDS": "1"}


def start(arguments: list[str], folder: Path, observed: bool = True, **environ: str) -> subprocess.Popen[str]:
    """Start ``python ARGUMENTS`` in ``folder``, with the sensor through its launcher or without it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("BURNISH_", "PYTHON"))}
    environment = {
        **clean,
        "PYTHONPATH": SENSOR,
        "PYTHONDONTWRITEBYTECODE": "1",
        "BURNISH_WINDOW_SECONDS": "60",
        "BURNISH_BUDGET": "1",
        **environ,
    }
    launcher = ["-m", "burnish_sensor", "--", sys.executable] if observed else []
    return subprocess.Popen(
        [sys.executable, *launcher, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        preexec_fn=_signals_as_in_a_terminal,  # noqa: PLW1509 - the tests have no threads here
    )


def _signals_as_in_a_terminal() -> None:
    """A shell's background job and `nohup` ignore some, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


Seen = tuple[int, str, str]


def finish(process: subprocess.Popen[str], timeout: float = 60) -> Seen:
    """Exit code and what was printed."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def same(arguments: list[str], folder: Path, **environ: str) -> Seen:
    """Run both ways, assert that exit code and output are equal, and return them."""
    plain = finish(start(arguments, folder, observed=False, **environ))
    observed = finish(start(arguments, folder, **environ))
    assert _comparable(observed) == _comparable(plain)
    return observed


def _comparable(seen: Seen) -> Seen:
    """Without addresses and process ids, which differ from run to run."""
    code, out, err = seen
    return code, *(re.sub(r"0x[0-9a-f]{6,}", "0x…", text) for text in (out, err))  # type: ignore[return-value]


def calls(folder: Path) -> Counter[str]:
    """Calls by function over all windows of all processes."""
    found: Counter[str] = Counter()
    for window in windows(folder):
        for row in window["calls"]:
            found[row["function"]] += row["calls"]
    return found


def monitored(folder: Path) -> bool:
    """Whether functions reported by events, and nothing was rewritten."""
    return any(window["sensor"]["mechanism"] == "monitoring" for window in windows(folder))


def instances(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The windows of each process."""
    found: dict[str, list[dict[str, Any]]] = {}
    for window in windows(folder):
        found.setdefault(window["instance"], []).append(window)
    return found
