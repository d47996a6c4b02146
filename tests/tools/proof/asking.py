"""The harness, asked without a prover: one process, as it runs in the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from burnish_tools.proof import harness


def asked(work: Path, tree: Path, url: str, service: dict[str, str], **job: Any) -> dict[str, Any]:
    """Its answer; an assertion says what went wrong where it has none."""
    folder, question, answer = work / "harness", work / "question.json", work / "answer.json"
    if not folder.exists():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(harness.__file__).parent, folder / "burnish_harness", ignore=ignored)
    told = {"settings": "", "app": "", **service}
    question.write_text(json.dumps({"answer": str(answer), "service": told, "seed": 1, **job}), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "burnish_harness", str(question)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(folder), "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    assert found["ok"], found["error"] + done.stderr
    return found


def replayed(work: Path, tree: Path, url: str, service: dict[str, str], function: str, targets: Sequence[str]) -> Any:
    """The answer of the mode `equality`."""
    requests = [{"target": target, "entry": "GET x"} for target in targets]
    clock = {"instant": 1_800_000_000.0, "step": True}
    return asked(
        work, tree, url, service, mode="equality", function=function, headers={}, clock=clock, requests=requests
    )
