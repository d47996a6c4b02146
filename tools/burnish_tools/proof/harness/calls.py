"""Modes that replay calls instead of requests.

`calls`     every case once, some of them again in another order, then the executed lines of the changed functions.
            Results go to the file `results` line by line, so that a call that ends the process is known.
`generate`  new cases out of given ones, and the factor at which a call takes as long as it does in production
`callcost`  spoken to by lines as in mode `cost`; a number is that of a group of calls
"""

from __future__ import annotations

import copy
import json
import os
import random
import sys
import threading
import types
from collections.abc import Iterator
from time import perf_counter
from typing import IO, Any

from . import determinism, mutate
from .boot import Booted
from .cost import _peak_kb
from .player import Overtime, Player, arguments, encoded, limited, load

AGAIN = 60
LINE_SECONDS = 20.0
RUNS = 24
"""Generated calls that are looked at to find some that can be written down as tests."""
CALIBRATE_SECONDS = 6.0
CALIBRATE_CASES = 3
MAX_FACTOR = 4096


def replay(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """Mode `calls`."""
    player = Player(job, service)
    cases = [case for number, case in load(job["cases"]).items() if number not in set(job["without"])]
    statements: dict[int, Any] = {}
    with open(job["results"], "w", encoding="utf-8") as results:
        for case in cases:
            seen = _told(results, player, case, "calls", None)
            statements[case["id"]] = seen.pop("statements", None)
        recorded = [case for case in cases if case["kind"] == "captured"][:AGAIN]
        for case in reversed(recorded):
            _told(results, player, case, "again", statements[case["id"]])
        for case in (case for case in recorded if statements[case["id"]]):
            _told(results, player, case, "moved", statements[case["id"]])
        return {"lines": Lines(job["lines"]).reached(player, cases, results)}


def _told(results: IO[str], player: Player, case: dict[str, Any], phase: str, alter: Any) -> dict[str, Any]:
    _line(results, {"phase": phase, "begun": case["id"]})
    seen = player.seen(case, alter, moved=phase == "moved")
    _line(results, {"phase": phase, "id": case["id"], **seen})
    return seen


def _line(results: IO[str], told: dict[str, Any]) -> None:
    results.write(json.dumps(told) + "\n")
    results.flush()


class Lines:
    """Which of some lines run: {file below the current directory: [line, ...]}. Lines without code of a function
    (blank, comments, module level) are not asked for."""

    def __init__(self, wanted: dict[str, list[int]]) -> None:
        self._missing: dict[str, set[int]] = {}
        for path, lines in wanted.items():
            full = os.path.abspath(path)
            self._missing[full] = _executable(full) & set(lines)

    def reached(self, player: Player, cases: list[dict[str, Any]], results: IO[str]) -> dict[str, Any]:
        """Runs the captured cases until all lines have run or the time is over; then for what is missing the others, of
        which it is told who runs what."""
        asked = sum(map(len, self._missing.values()))
        until = perf_counter() + LINE_SECONDS
        for case in cases:
            if case["kind"] == "captured" and any(self._missing.values()) and perf_counter() < until:
                self._run(player, case, results)
        untested = {path: set(lines) for path, lines in self._missing.items()}
        runs: dict[str, list[str]] = {}
        for case in cases:
            if len(runs) >= RUNS or not any(untested.values()) or perf_counter() > until:
                break
            if case["kind"] != "captured" and not case["kind"].startswith(("measured", "shape")):
                self._missing = {path: set(lines) for path, lines in untested.items()}
                self._run(player, case, results)
                ran = _named({path: lines - self._missing[path] for path, lines in untested.items()})
                runs.update({str(case["id"]): ran} if ran else {})
        by_runs = {line for lines in runs.values() for line in lines}
        return {"asked": asked, "missing": sorted(set(_named(untested)) - by_runs), "runs": runs}

    def _run(self, player: Player, case: dict[str, Any], results: IO[str]) -> None:
        _line(results, {"phase": "lines", "begun": case["id"]})
        sys.settrace(self._trace)
        threading.settrace(self._trace)
        try:
            player.seen(case)
        finally:
            sys.settrace(None)
            threading.settrace(None)

    def _trace(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        missing = self._missing.get(frame.f_code.co_filename)
        if not missing:
            return None

        def local(inner: types.FrameType, what: str, _: Any) -> Any:
            missing.discard(inner.f_lineno)
            return local

        missing.discard(frame.f_lineno)
        return local


def _named(lines: dict[str, set[int]]) -> list[str]:
    """`basket/orders.py:12`"""
    return [f"{os.path.relpath(path)}:{line}" for path, numbers in sorted(lines.items()) for line in sorted(numbers)]


def _executable(path: str) -> set[int]:
    import dis

    with open(path, "rb") as file:
        found: list[types.CodeType] = [compile(file.read(), path, "exec")]
    lines: set[int] = set()
    for code in found:  # grows while it is read
        found.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
        if code.co_flags & 1:  # CO_OPTIMIZED: a function, no module or class body
            lines.update(line for _, line in dis.findlinestarts(code) if line and line != code.co_firstlineno)
    return lines


def generate(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """Mode `generate`: appends to the file of cases. Mutations of the cases in `mutate`, and of those in `measure`
    fresh variants at the size of production."""
    cases, rng = load(job["cases"]), random.Random(job["seed"])
    player = Player(job, service)
    factor = _calibrated(player, [cases[n] for n in job["measure"]], job["target_ns"])
    made = [*_mutated(cases, job, rng), *_measured(cases, job, factor)]
    with open(job["cases"], "a", encoding="utf-8") as file:
        for number, case in enumerate(made, max(cases) + 1):
            file.write(json.dumps({"id": number, "raised": "", "test": "", **case}) + "\n")
    return {"factor": factor, "made": len(made)}


def _mutated(cases: dict[int, dict[str, Any]], job: dict[str, Any], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Each kind of mutation of each case, in random order, until there are enough."""
    optional = [(place, name) for place, name in job["optional"]]
    wanted = [(n, kind) for n in job["mutate"] for kind in mutate.mutations(optional, rng)]
    rng.shuffle(wanted)
    seen = {case["pickle"] for case in cases.values()}
    left = job["generated"]
    for number, kind in wanted:
        if not left:
            return
        text = _made(cases[number], lambda a, k, kind=kind: mutate.mutations(optional, rng)[kind](a, k))
        if text and text not in seen:
            seen.add(text)
            left -= 1
            yield {"kind": kind, "of": number, "pickle": text}


def _measured(cases: dict[int, dict[str, Any]], job: dict[str, Any], factor: int) -> Iterator[dict[str, Any]]:
    """Of each case that measures: at the size of production, in fresh variants; of some also ×2 and ×4 of that."""
    for number in job["measure"]:
        for variant in range(job["variants"]):
            yield from _sized(cases[number], factor, variant, "measured")
    for number in job["shapes"]:
        for scale in (1, 2, 4):
            yield from _sized(cases[number], factor * scale, 0, f"shape ×{scale}")


def _sized(case: dict[str, Any], factor: int, variant: int, kind: str) -> Iterator[dict[str, Any]]:
    def change(args: list[Any], kwargs: dict[str, Any]) -> bool:
        larger = factor == 1 or mutate.grown(args, kwargs, factor)
        return larger and (variant == 0 or mutate.varied(args, kwargs, variant))

    text = _made(case, change)
    if text:
        yield {"kind": kind, "of": case["id"], "variant": variant, "pickle": text}


def _made(case: dict[str, Any], change: Any) -> str:
    """A changed call, pickled; empty where it cannot be changed that way."""
    try:
        args, kwargs = arguments(case)
        return encoded(args, kwargs) if change(args, kwargs) else ""
    except Exception:  # noqa: BLE001 - the service's own classes are copied and pickled
        return ""


def _calibrated(player: Player, cases: list[dict[str, Any]], target_ns: float) -> int:
    """The power of two by which the sized arguments have to grow for a call to take as long as in production; 1 where
    it takes as long already, or where larger arguments do not take longer."""
    best, factor = 1, 1
    until = perf_counter() + CALIBRATE_SECONDS
    cases = [case for case in cases if _sized_like(case, 2)][:CALIBRATE_CASES]
    while factor <= MAX_FACTOR and perf_counter() < until and cases:
        took = [_took(player, case, factor, until) for case in cases]
        times = [ns for ns in took if ns is not None]
        if len(times) < len(cases):
            return best
        best = factor
        if sum(times) / len(times) >= target_ns / 2:
            return best
        factor *= 2
    return best if factor > MAX_FACTOR else max(1, best)


def _sized_like(case: dict[str, Any], factor: int) -> bool:
    """It can be made that much larger."""
    return any(_sized(case, factor, 0, ""))


def _took(player: Player, case: dict[str, Any], factor: int, until: float) -> int | None:
    """Time of one call, ns; None where it cannot be made that large, raises or takes too long."""
    try:
        args, kwargs = arguments(case)
        if factor > 1 and not mutate.grown(args, kwargs, factor):
            return None
        with player.service.database.rolled_back(), limited(max(until - perf_counter(), 0.1)):
            player.timed(copy.copy(args), kwargs)
            args, kwargs = arguments(case)
            if factor > 1:
                mutate.grown(args, kwargs, factor)
            return player.timed(args, kwargs)[0]
    except (Exception, Overtime):  # noqa: BLE001 - a larger call may fail in any way
        return None


def cost(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """Mode `callcost`. Each time that a group is asked for, its calls get arguments that the process has not seen."""
    player, cases = Player(job, service), load(job["cases"])
    asked: dict[int, int] = {}
    first = player.import_ns
    with os.fdopen(int(job["speak_on"]), "w", encoding="utf-8") as speaker:
        for line in sys.stdin:
            question = line.strip()
            if question == "peak":
                told: dict[str, Any] = {"peak_kb": _peak_kb()}
            else:
                group = int(question)
                calls = _timed(player, cases, job["groups"][group], asked.get(group, 0))
                asked[group] = asked.get(group, 0) + 1
                told, first = {"wall": sum(calls) + first, "calls": calls}, 0
            speaker.write(json.dumps(told) + "\n")
            speaker.flush()
    return {}


def _timed(player: Player, cases: dict[int, dict[str, Any]], group: list[list[int]], turn: int) -> list[int]:
    fresh = [arguments(cases[slot[turn % len(slot)]]) for slot in group]
    with player.service.database.rolled_back():
        determinism.restart()
        return [_one(player, args, kwargs) for args, kwargs in fresh]


def _one(player: Player, args: list[Any], kwargs: dict[str, Any]) -> int:
    took, _ = player.timed(args, kwargs)
    return max(took, 1)
