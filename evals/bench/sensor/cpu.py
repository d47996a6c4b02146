"""CPU-bound: what programs cost with the sensor, all their functions observed, over what they cost without.

Each run is a fresh process that does a fixed amount of work: a second of warm-up, in which the sensor may find out what
is hot, and then the part whose CPU time counts, that of the sensor's own thread included. In a round every variant
of every program runs once, in random order. Windows last 2 s, so that each measured part pays for at least one flush
(by default a window lasts 10 s: less would be paid).
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from evals.bench.sensor import environments, probe, ratios
from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.programs import Program, chosen, prepare
from evals.bench.sensor.ratios import AGAIN, OURS, PLAIN, SENSOR, shuffled
from evals.bench.sensor.report import Table, interval, progress
from evals.bench.sensor.settings import Settings

RIVALS = ("cProfile", "yappi", "pyinstrument", "OpenTelemetry", "ddtrace")
RIVAL_EVERY = 8
"""Rivals run in every eighth round: their ratios are far from 1 and need fewer."""
RIVAL_SHARE = 10
"""Rivals do a tenth of the work, because it takes them up to thirty times as long."""
SPAN_SHARE = 100
"""A span for each call takes hundreds of times as long."""
LONGEST = 300.0
WINDOW_SECONDS = 2.0
_QUIET = {
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_TRACE_ENABLED": "false",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
}


@dataclass
class Bench:
    """One program, ready to run. `warm` and `rounds` are how often its work is done; `each_ns` what one takes."""

    program: Program
    environment: Environment
    root: Path
    warm: int = 1
    rounds: int = 2
    each_ns: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    calls_per_second: float = 0.0

    def run(self, variant: str, seed: int) -> dict[str, Any]:
        """One process; `cpu_ns` is for one piece of work. Raises DoesNotRun, also where the sensor saw no call."""
        share = {SENSOR: 1, PLAIN: 1, AGAIN: 1, "OpenTelemetry": SPAN_SHARE}.get(variant, RIVAL_SHARE)
        rounds = max(1, self.rounds // share)
        output = self.root.parent / f"{self.program.name}-windows"
        shutil.rmtree(output, ignore_errors=True)
        told = {
            "root": str(self.root),
            "variant": variant,
            "setup": self.program.setup,
            "work": self.program.work,
            "libraries": self.program.libraries,
            "warm": max(1, self.warm // share),
            "rounds": rounds,
        }
        variables = {**_QUIET, **probe.sensor_variables(self.root, output, WINDOW_SECONDS)}
        variables["PYTHONHASHSEED"] = str(seed)
        found = probe.run(self.environment, "program", told, variables, cwd=self.root, seconds=LONGEST)
        if variant == SENSOR:
            self._check(output, found)
        return {**found, "cpu_ns": found["cpu_ns"] / rounds}

    def _check(self, output: Path, found: dict[str, Any]) -> None:
        calls = sum(row["calls"] for window in probe.windows(output) for row in window["calls"])
        if not calls:
            raise DoesNotRun(f"the sensor did not observe a call of {self.program.name}: see {output}")
        self.calls_per_second = calls / ((found["warm"][1] + found["wall_ns"]) / 1e9)

    def calibrate(self, seconds: float, warm_seconds: float) -> None:
        """Set the amounts so that the measured part takes `seconds` of CPU time without the sensor."""
        self.each_ns = self.run(PLAIN, 0)["cpu_ns"]
        self.warm = max(1, math.ceil(warm_seconds * 1e9 / self.each_ns))
        self.rounds = max(1, math.ceil(seconds * 1e9 / self.each_ns))


def requirements(settings: Settings) -> list[str]:
    """pyperformance, and what the chosen programs import."""
    wanted = ["pyperformance==1.14.0", *(p.requirement for p in chosen(settings.programs) if p.requirement)]
    return [*wanted, *(environments.RIVALS if settings.rivals else ())]


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """The table of one Python version."""
    rng = random.Random(settings.seed)
    scratch = settings.scratch / "cpu"
    benches = [Bench(p, environment, prepare(p, environment, scratch)) for p in chosen(settings.programs)]
    variants = [*OURS, *(RIVALS if settings.rivals else ())]
    with progress(f"cpu {environment.version}: calibration", len(benches)) as advance:
        for bench in benches:
            bench.calibrate(settings.cpu_seconds, settings.warm_seconds)
            advance(bench.program.name)
    rounds = []
    with progress(f"cpu {environment.version}", settings.pairs * len(benches)) as advance:
        for number in range(settings.pairs):
            ran = variants if number % RIVAL_EVERY == 0 else OURS
            rounds.append({b.program.name: _round(b, ran, number, rng) for b in _each(benches, rng, advance)})
    return [_table(environment, settings, benches, rounds, variants)]


def _each(benches: list[Bench], rng: random.Random, advance: Any) -> Any:
    for bench in shuffled(benches, rng):
        yield bench
        advance(bench.program.name)


def _round(bench: Bench, variants: Sequence[str], number: int, rng: random.Random) -> dict[str, float]:
    """CPU milliseconds for one piece of work by variant. A rival that does not run is left out; ours must run."""
    took = {}
    for variant in shuffled([v for v in variants if v not in bench.failed], rng):
        try:
            took[variant] = bench.run(variant, number)["cpu_ns"] / 1e6
        except DoesNotRun as error:
            if variant in OURS:
                raise BenchError(f"{bench.program.name}, {variant}: {error}") from error
            bench.failed[variant] = str(error)
    return took


def _table(
    environment: Environment,
    settings: Settings,
    benches: list[Bench],
    rounds: list[dict[str, dict[str, float]]],
    variants: list[str],
) -> Table:
    shown = [v for v in variants if v != PLAIN]
    rows = []
    for bench in benches:
        own = [one[bench.program.name] for one in rounds]
        row = [bench.program.name, f"{median(o[PLAIN] for o in own):.1f}", f"{bench.calls_per_second:,.0f}"]
        row += [interval(ratios.ratio(own, v, random.Random(settings.seed))) for v in shown]
        rows.append(row)
    summaries = (("**geometric mean**", ratios.geometric), ("**worst**", ratios.worst))
    for title, summary in summaries:
        rows.append([title, "", "", *(interval(summary(rounds, v, random.Random(settings.seed))) for v in shown)])
    failures = [
        f"{b.program.name} does not run with {v}: {' '.join(why.split())[-160:]}"
        for b in benches
        for v, why in b.failed.items()
    ]
    return Table(
        f"CPU-bound programs, {environment.name}",
        f"CPU time ÷ that of the same work without anything: medians over n = {settings.pairs} rounds with 95 % "
        f"bootstrap intervals over rounds, fresh processes in random order, {settings.warm_seconds:g} s of warm-up and "
        f"{settings.cpu_seconds:g} s measured, windows of {WINDOW_SECONDS:g} s; `{AGAIN}` is the control (A/A)."
        + (
            f" Rivals in every {RIVAL_EVERY}th round, with less work (1/{RIVAL_SHARE}; spans 1/{SPAN_SHARE})."
            if settings.rivals
            else ""
        ),
        ["program", "plain, ms", "observed calls/s", *shown],
        rows,
        failures,
        {"rounds": rounds},
    )
