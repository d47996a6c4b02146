from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.soak.memory import growth
from evals.soak.service import reconcile

ROOT = Path(__file__).resolve().parents[2]


def series(per_hour: float, noise: float, seconds: int = 1800) -> list[tuple[float, float]]:
    draw = random.Random(3)
    return [(float(at), 30 + per_hour * at / 3600 + draw.gauss(0, noise)) for at in range(seconds)]


def test_a_leak_is_not_flat() -> None:
    found = growth(series(per_hour=20, noise=1))
    assert found.low < 20 < found.high
    assert not found.is_flat(2, 0.5)


def test_noise_is_flat() -> None:
    assert growth(series(per_hour=0, noise=1)).is_flat(2, 0.5)


def test_a_short_run_says_nothing_of_an_hour() -> None:
    assert growth(series(per_hour=20, noise=0.001, seconds=60)).is_flat(2, 0.5)


def test_what_the_control_grows_by_too_is_not_the_sensors() -> None:
    both, leak = growth(series(per_hour=20, noise=0.01)), growth(series(per_hour=60, noise=0.01))
    assert both.beyond(both).is_flat(2, 0.5)
    assert not leak.beyond(both).is_flat(2, 0.5)
    assert leak.beyond(both).low < 40 < leak.beyond(both).high


def window(entry: str, **status: int) -> dict[str, Any]:
    return {"entries": [{"entry": entry, "status": {name[1:]: count for name, count in status.items()}}]}


def test_counts_are_compared_by_route_and_status() -> None:
    answers = Counter({("/a", 200): 3, ("/a", 500): 1, ("/b", 404): 2})
    windows = [window("GET /a", s200=2, s500=1), window("GET /a", s200=1), window("GET <unmatched>", s404=1)]
    assert reconcile(answers, ["/a"], windows) == [
        ("GET /a", 200, 3, 3),
        ("GET /a", 500, 1, 1),
        ("GET <unmatched>", 404, 2, 1),
    ]


@pytest.mark.slow
@pytest.mark.long
def test_a_short_soak() -> None:
    """Forks, reloads, threads and async for a minute: each request is in the windows, and no other."""
    pytest.importorskip("uvicorn")
    done = subprocess.run(
        [sys.executable, "-m", "evals.soak", "--minutes", "1", "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads(done.stdout)
    assert [verdict["faults"] for verdict in verdicts] == [[], [], []]
    assert all(verdict["requests"] > 100 for verdict in verdicts)
