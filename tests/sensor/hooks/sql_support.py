"""Runs an application that uses a driver, in a process with the sensor, and reads what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sensor.format_shape import check_window
from tests.sensor.support import run, windows, write


def observe(folder: Path, app: str, call: str = "app.main()", **environ: str) -> dict[str, Any]:
    """The one window of a process that imports ``app`` under the sensor and evaluates ``call``."""
    write(folder, app=app)
    lines = ["import burnish_sensor", "burnish_sensor.start()", "import app", call]
    result = run("\n".join(lines), folder, **environ)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    (window,) = windows(folder)
    check_window(window)
    return window


def queries(window: dict[str, Any]) -> dict[tuple[str, str], tuple[int, int | None]]:
    """(bare function, statement): (executions, rows), lines left out."""
    found: dict[tuple[str, str], tuple[int, int | None]] = {}
    for row in window["queries"]:
        key = (row["function"].partition(":")[2], window["statements"][row["statement"]]["text"])
        executions, rows = found.get(key, (0, None))
        rows = rows if row["rows"] is None else (rows or 0) + row["rows"]
        found[key] = (executions + row["executions"], rows)
    return found


def lines(window: dict[str, Any], function: str) -> list[int]:
    """The lines of the call sites of a function."""
    return sorted({row["line"] for row in window["queries"] if row["function"] == function})


def line_of(app: str, part: str) -> int:
    """The line of ``app`` that holds ``part``, 1-based."""
    (found,) = (number for number, line in enumerate(app.splitlines(), 1) if part in line)
    return found


def errors(window: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Errors by bare function."""
    return {row["function"].partition(":")[2]: row["errors"] for row in window["queries"] if row["errors"]}
