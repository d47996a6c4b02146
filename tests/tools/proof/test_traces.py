"""What a function does besides returning, in a process of its own: an audit hook stays for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from burnish_tools.proof import harness

ROOT = Path(harness.__file__).parents[2]
SCRIPT = """
import json, logging, sys, threading, subprocess, tempfile
sys.path.insert(0, sys.argv[1])
from burnish_tools.proof.harness.traces import Traces
from burnish_tools.proof.harness.wrap import Probe
logging.disable(logging.NOTSET)
logging.getLogger().addHandler(logging.NullHandler())
probe = Probe()
probe.depth = int(sys.argv[3])
traces = Traces(probe)
traces.clear()
exec(sys.argv[2])
probe.depth = 0
print(json.dumps(traces.form()))
"""


def traces(code: str, depth: int = 1) -> dict[str, Any]:
    run = [sys.executable, "-c", SCRIPT, str(ROOT), code, str(depth)]
    told: dict[str, Any] = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    return told


@pytest.mark.parametrize(
    "code, kind",
    [
        ("threading.Thread(target=int).start()", "threads started"),
        ("subprocess.run([sys.executable, '-c', ''])", "processes started"),
        ("open(tempfile.gettempdir() + '/burnish-traces', 'w').close()", "files written"),
    ],
)
def test_work_elsewhere_is_counted_inside_of_the_function_only(code: str, kind: str) -> None:
    assert kind in traces(code)["did"]
    assert traces(code, depth=0)["did"] == {}


def test_reading_is_not_counted() -> None:
    assert traces("open(logging.__file__).close()")["did"] == {}


def test_lines_of_the_log_without_their_numbers() -> None:
    code = "logging.getLogger('a').warning('took %.1f ms', 12.5); logging.getLogger('a').warning('took %s ms', 3)"
    assert traces(code)["logged"] == [["a", "WARNING", "took # ms"]] * 2


def test_a_line_that_cannot_be_formatted_is_kept() -> None:
    assert traces("logging.raiseExceptions = False; logging.warning('%d', 'x')")["logged"] == [
        ["root", "WARNING", "%d"]
    ]
