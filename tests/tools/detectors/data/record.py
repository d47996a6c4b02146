"""Records the windows of one of the programs in `app/pricing.py`: a real process under the sensor, for 20 seconds.

    PYTHONPATH=sensor python tests/tools/detectors/data/record.py size > tests/tools/detectors/data/size.jsonl

The instance is renamed, as it holds the machine's name; nothing else is touched.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 21.0


def _programs() -> dict[str, Callable[[random.Random], object]]:
    sys.path.insert(0, str(HERE / "app"))
    import pricing

    db = sqlite3.connect(":memory:")

    def items(draw: random.Random, rare: float = 0.03) -> list[int]:
        return [1] * (draw.randint(512, 900) if draw.random() < rare else draw.randint(0, 400))

    def plan(draw: random.Random) -> str:
        return draw.choice(["free", "paid", "enterprise"])

    def customer(draw: random.Random) -> pricing.Customer:
        return pricing.Reseller() if draw.random() < 0.03 else pricing.Customer()

    return {
        "size": lambda draw: pricing.handle(items(draw), plan(draw)),
        "pair": lambda draw: pricing.export(items(draw, 0.2), full=draw.random() < 0.2),
        "type": lambda draw: pricing.discount(customer(draw), draw.randint(1, 1000)),
        "noise": lambda draw: pricing.lookup(items(draw), plan(draw)),
        "queries": lambda draw: pricing.report(items(draw), db),
        "growth": lambda draw: pricing.gather(items(draw), plan(draw)),
    }


def run(name: str) -> None:
    """Calls the function for a while."""
    step, draw, end = _programs()[name], random.Random(1), time.monotonic() + SECONDS
    while time.monotonic() < end:
        step(draw)
        time.sleep(0.004)


def record(name: str) -> str:
    """The windows as lines."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "BURNISH_ROOT": str(HERE / "app"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BURNISH_OUTPUT": f"{folder}/{name}.jsonl",
            "BURNISH_SERVICE": "pricing",
            "BURNISH_ENVIRONMENT": "production",
            "BURNISH_RELEASE": "a",
            "BURNISH_WINDOW_SECONDS": "1",
            "BURNISH_EXEMPLARS": "8",
        }
        command = [sys.executable, "-m", "burnish_sensor", "--", __file__, "--run", name]
        subprocess.run(command, env=environment, cwd=HERE / "app", check=True)
        lines = Path(folder, f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    windows = [json.loads(line) | {"instance": name} for line in lines]
    return "".join(json.dumps(window, separators=(",", ":")) + "\n" for window in windows)


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        run(sys.argv[2])
    else:
        sys.stdout.write(record(sys.argv[1]))
