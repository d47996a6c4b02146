"""A soak of the sensor: three servers under bounded load, with forks, reloads, threads and async.

    python -m evals.soak [--minutes 30] [--markdown FILE] [--json] [--without-sensor]

- ``forks``: gunicorn, two workers that are replaced by new forks after about 300 requests each;
- ``reloads``: gunicorn, two workers of four threads, reloaded by SIGHUP every 20 seconds;
- ``async``: one uvicorn process that lives for the whole time.

In the end each request that the driver counted must be in the windows, by route and status, and no other; no window
may be missing (the sequence numbers of each process are complete), nothing dropped, and the memory of the processes
flat. New workers grow by themselves, so the same servers run beside it without the sensor, under the same load: the
95 % interval of the difference of the slopes, without the first fifth, must reach down to 2 MB an hour for each process
(in a short run: to half a megabyte in all, which is what the allocator's arenas move by).
Exit status: 0 PASS, 1 FAIL, 3 a server did not start or end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

from evals.soak.memory import Growth, growth
from evals.soak.service import Plan, Service, SoakError, reconcile

FLAT_MB_PER_HOUR, FLAT_MB = 2.0, 0.5
_WSGI = ("/order", "/busy", "/threads", "/broken", "/stream", "/nowhere")
_ASGI = ("/gathered", "/pooled", "/cancelled", "/counting", "/busy", "/nowhere")
_GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--log-level", "critical", "--workers", "2")
_UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "critical", "--lifespan", "off")
PLANS = (
    Plan("forks", (*_GUNICORN, "--max-requests", "300", "--max-requests-jitter", "60", "soak_wsgi:app"), _WSGI),
    Plan(
        "reloads",
        (*_GUNICORN, "--worker-class", "gthread", "--threads", "4", "soak_wsgi:app"),
        _WSGI,
        hang_up_every_s=20.0,
    ),
    Plan("async", (*_UVICORN, "soak_asgi:app"), _ASGI),
)
_EVERY_S = 1.0


@dataclass(frozen=True)
class Verdict:
    """What came of one service. ``faults`` are the reasons to fail; ``more`` is the memory beyond the control's."""

    name: str
    processes: int
    requests: int
    rows: list[tuple[str, int, int, int]]
    memory: Growth
    more: Growth | None
    windows: int
    overhead: float
    faults: list[str]


def memory_of(service: Service) -> Growth:
    """Its growth without the first fifth of the time."""
    warm = service.samples[-1][0] / 5 if service.samples else 0.0
    return growth([sample for sample in service.samples if sample[0] >= warm])


def judge(service: Service, control: Service | None) -> Verdict:
    """Compare the windows with the driver's counts, and the memory with that of the control."""
    windows, faults = service.windows(), list(service.complaints())
    answers = service.driver.answers
    routes = [path for path in service.plan.paths if path != "/nowhere"]
    rows = reconcile(answers, routes, windows)
    if service.observed:
        faults += [
            f"{entry} {status}: {asked} answers, {told} calls" for entry, status, asked, told in rows if asked != told
        ]
    faults += [f"{count} requests without an answer: {what}" for what, count in service.driver.unanswered.items()]
    sequences: dict[str, list[int]] = {}
    dropped: Counter[str] = Counter()
    for window in windows:
        sequences.setdefault(window["instance"], []).append(window["sequence"])
        dropped.update(window["sensor"]["dropped"])
    for instance, found in sequences.items():
        if sorted(found) != list(range(len(found))):
            faults.append(f"process {instance}: windows {sorted(found)}")
    faults += [f"dropped: {what} {count}" for what, count in dropped.items() if count]
    memory = memory_of(service)
    more = memory.beyond(memory_of(control)) if control is not None else None
    if more is not None and not more.is_flat(FLAT_MB_PER_HOUR, FLAT_MB):
        faults.append(f"memory grows by {more.low:.1f} to {more.high:.1f} MB an hour more than without the sensor")
    cpu = sum(window["sensor"]["process_cpu_ns"] for window in windows)
    overhead = sum(window["sensor"]["overhead_ns"] for window in windows) / cpu if cpu else 0.0
    count = sum(answers.values())
    name, processes = service.plan.name, len(service.processes)
    return Verdict(name, processes, count, rows, memory, more, len(windows), overhead, faults)


def report(verdicts: Sequence[Verdict], minutes: float) -> str:
    """The result as Markdown."""
    python = "{}.{}.{}".format(*sys.version_info[:3])
    outcome = "FAIL" if any(verdict.faults for verdict in verdicts) else "PASS"
    lines = [
        f"`scripts/soak --minutes {minutes:g}`, CPython {python}: {outcome}.",
        "",
        "| service | processes | requests | in the windows | windows | own cost | MB, peak | MB an hour | more |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for verdict in verdicts:
        told, memory = sum(row[3] for row in verdict.rows), verdict.memory
        lines.append(
            f"| {verdict.name} | {verdict.processes} | {verdict.requests:,} | {told:,} | {verdict.windows:,} | "
            f"{verdict.overhead:.2%} | {memory.peak:.0f} | {interval(memory)} | {interval(verdict.more)} |"
        )
    lines += ["", "| service | entry | status | the driver counted | the windows say |", "|---|---|---|---|---|"]
    for verdict in verdicts:
        lines += [f"| {verdict.name} | {' | '.join(str(cell) for cell in row)} |" for row in verdict.rows]
    for verdict in verdicts:
        lines += ["", *(f"- {verdict.name}: {fault}" for fault in verdict.faults)] if verdict.faults else []
    return "\n".join(lines)


def interval(growth: Growth | None) -> str:
    """A slope with its interval, in MB an hour."""
    return f"{growth.slope:.1f} ({growth.low:.1f} to {growth.high:.1f})" if growth is not None else ""


def soak(minutes: float, folder: Path, observed: bool) -> list[Verdict]:
    """Run all plans at once, and beside them their controls if they are observed. Raises SoakError."""
    tested = [Service(plan, folder / plan.name, observed) for plan in PLANS]
    controls = [Service(plan, folder / f"{plan.name}-control", False) for plan in PLANS] if observed else []
    services = [*tested, *controls]
    started: list[Service] = []
    try:
        for service in services:
            service.start(10.0 if minutes >= 5 else 2.0)
            started.append(service)
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            for service in services:
                service.step()
            time.sleep(_EVERY_S)
        while started:
            started.pop().stop()
    finally:
        for service in started:
            service.kill()
    return [judge(service, control) for service, control in zip_longest(tested, controls)]


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of load (default: 30)")
    parser.add_argument("--markdown", type=Path, help="also write the result to this file")
    parser.add_argument("--without-sensor", action="store_true", help="only the memory of the servers themselves")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    options = parser.parse_args(arguments)
    if not 0.1 <= options.minutes <= 240:
        parser.error(f"--minutes must be from 0.1 to 240, not {options.minutes:g}")
    with tempfile.TemporaryDirectory(prefix="burnish-soak-") as name:
        try:
            verdicts = soak(options.minutes, Path(name), observed=not options.without_sensor)
        except SoakError as error:
            print(f"soak: {error}", file=sys.stderr)
            return 3
    text = report(verdicts, options.minutes)
    print(json.dumps([asdict(verdict) for verdict in verdicts]) if options.json else text)
    if options.markdown:
        options.markdown.write_text(text + "\n", encoding="utf-8")
    return int(any(verdict.faults for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
