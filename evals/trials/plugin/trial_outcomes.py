"""A pytest plugin that writes the outcome of each test: one JSON object ``{"test", "outcome"}`` on a line.

The file is named by TRIAL_OUTCOMES. Runs in the environment of the library, so nothing of ours is imported.
"""

from __future__ import annotations

import json
import os
from typing import Any

_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """A test is as bad as the worst of its set-up, call and tear-down."""
    if report.failed:
        _outcomes[report.nodeid] = "failed" if report.when == "call" else "error"
    elif report.skipped:
        _outcomes[report.nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
    elif report.when == "call":
        _outcomes.setdefault(report.nodeid, "xpassed" if hasattr(report, "wasxfail") else "passed")


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be collected has tests that did not run."""
    if report.failed:
        _outcomes[report.nodeid] = "error"
    elif report.skipped:
        _outcomes[report.nodeid] = "skipped"


def pytest_sessionfinish() -> None:
    """Written at the end of the session, whatever ended it."""
    with open(os.environ["TRIAL_OUTCOMES"], "w", encoding="utf-8") as stream:
        for test, outcome in _outcomes.items():
            stream.write(json.dumps({"test": test, "outcome": outcome}) + "\n")
