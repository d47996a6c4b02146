"""Calls that tests have made of the judged function: what the capturing processes wrote, and a fair sample of it.

A call's arguments are a pickle made by the service's code. Here it is text that is handed on: Burnish never loads it.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Call:
    """One distinct call. `size` counts the elements of its arguments; `raised` names the exception that ended it."""

    test: str
    size: int
    raised: str
    digest: str
    pickle: str


@dataclass(frozen=True)
class Captured:
    """What one run of the tests has shown."""

    calls: tuple[Call, ...]
    tests: Mapping[str, int]
    """Tests that reach the function, with their number of calls, also those whose arguments could not be kept."""
    left_out: Mapping[str, int]
    """Calls whose arguments could not be kept, by reason."""
    parameters: tuple[Mapping[str, Any], ...]
    paths: tuple[str, ...]
    """Entries of `sys.path` below the application root."""
    instant: float
    error: str
    """Why the function could not be watched."""
    complete: bool
    """False where a process did not come to its end."""


def read(folder: Path) -> Captured:
    """All processes together. A line that is cut short belongs to a process that was killed."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in _lines(path)]
    ends = [line for line in lines if "tests" in line]
    calls: dict[str, Call] = {}
    for line in lines:
        if "pickle" in line:
            calls.setdefault(line["digest"], Call(**line))
    tests: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for end in ends:
        tests.update(end["tests"])
        left_out.update(end["left_out"])
    paths = dict.fromkeys(path for end in ends for path in end["paths"])
    return Captured(
        calls=tuple(calls.values()),
        tests=tests,
        left_out=left_out,
        parameters=tuple(next((end["parameters"] for end in ends if end["parameters"]), ())),
        paths=tuple(paths),
        instant=max((end["instant"] for end in ends), default=0.0),
        error=next((end["error"] for end in ends if end["error"]), ""),
        complete=bool(ends),
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for text in path.read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def sample(calls: Sequence[Call], size: int, rng: random.Random) -> list[Call]:
    """At most `size` of them, stratified by the class of their size (powers of two) and by test: every stratum gives
    one call before any gives a second. In random order within a stratum."""
    strata: dict[tuple[int, str], list[Call]] = defaultdict(list)
    for call in calls:
        strata[call.size.bit_length(), call.test].append(call)
    for stratum in strata.values():
        rng.shuffle(stratum)
    order = sorted(strata, reverse=True)
    tiers = max((len(s) for s in strata.values()), default=0)
    chosen = [strata[key][tier] for tier in range(tiers) for key in order if len(strata[key]) > tier]
    return chosen[:size]
