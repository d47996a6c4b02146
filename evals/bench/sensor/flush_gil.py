"""How long a thread of the application cannot run while a large window is written.

    python evals/bench/sensor/flush_gil.py [--functions 20000] [--entries 3] [--rounds 5] [--output directory|http]

A second thread does nothing but look at the clock; a gap between two looks is time in which it could not run. Printed
for each round: the longest gap, the 99.9 % quantile of the gaps, and the share of the time that the thread had, while a
window is written, and during the same time without one. A gap has three reasons: a step of the flush that does not give
the GIL up, the switch interval of the interpreter (5 ms: how long a thread that only computes may keep another one
waiting), and the machine: the round without a flush shows the last one. To see a step, the switch interval is made
short here (--switch, in ms); with the default of Python every thread that computes makes gaps of 5 ms.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sensor"))

from burnish_sensor.flush import Flusher
from burnish_sensor.recorder import Recorder
from burnish_sensor.registry import Function, Registry, Source
from burnish_sensor.settings import read_settings
from burnish_sensor.statements import Statements
from burnish_sensor.window import EntryTotals, Window

FUNCTIONS_PER_MODULE = 40


class Watcher:
    """Looks at the clock without pause, and keeps the gaps."""

    def __init__(self) -> None:
        self.gaps: list[int] = []
        self._halt = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._halt = True
        self._thread.join()

    def _run(self) -> None:
        last = began = time.perf_counter_ns()
        while not self._halt:
            now = time.perf_counter_ns()
            if now - last > 20_000:
                self.gaps.append(now - last)
            last = now
        self.took = last - began

    def report(self, name: str) -> str:
        gaps = sorted(self.gaps) or [0]
        had = 1 - sum(gaps) / self.took
        high = gaps[int(0.999 * (len(gaps) - 1))] / 1e6
        return f"{name:<14} {self.took / 1e9:8.2f} s {gaps[-1] / 1e6:10.2f} ms {high:10.2f} ms {had:10.0%}"


def main() -> None:
    options = _options()
    sys.setswitchinterval(options.switch / 1e3)
    with tempfile.TemporaryDirectory() as folder:
        flusher, fill = _flusher(Path(folder), options)
        print(f"Python {sys.version.split()[0]}, {options.functions} functions x {options.entries} entries")
        print(f"{'':<14} {'time':>10} {'longest':>13} {'99.9 %':>13} {'ran':>10}")
        for _ in range(options.rounds):
            fill()
            gc.collect()
            with Watcher() as watcher:
                seconds = _flush_in_thread(flusher)
            print(watcher.report("with a flush"))
            with Watcher() as watcher:
                time.sleep(seconds)
            print(watcher.report("without"))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.jsonl*"))
        print(f"{size / options.rounds / 1e6:.1f} MB for each window")


def _flush_in_thread(flusher: Flusher) -> float:
    """As the flush thread does: in a thread that the flusher takes for its own."""
    thread = threading.Thread(target=flusher.flush)
    flusher._thread = thread
    began = time.perf_counter()
    thread.start()
    thread.join()
    return time.perf_counter() - began


def _flusher(folder: Path, options: argparse.Namespace) -> tuple[Flusher, Callable[[], None]]:
    output = "http://127.0.0.1:9/" if options.output == "http" else str(folder / "windows")
    environ = {"BURNISH_OUTPUT": output, "BURNISH_SPOOL": str(folder / "spool"), "BURNISH_RELEASE": "bench"}
    settings = replace(read_settings(environ, str(folder)), functions=options.functions + 1)
    registry = Registry(options.functions + 1)
    numbers = [_function(registry, number) for number in range(options.functions)]
    recorder = Recorder(time.perf_counter_ns)
    about = {"version": "0", "mechanism": "bench"}
    flusher = Flusher(recorder, registry, Statements(), settings, about)

    def fill() -> None:
        flusher._window = Window(500)
        for entry in range(options.entries):
            name = f"GET /entry/{entry}"
            totals = flusher._window.totals_of(name)
            flusher._window.entries[name] = EntryTotals("http")
            for number in numbers:
                _call(totals.calls, number)

    return flusher, fill


def _call(calls: dict[int, object], number: int) -> None:
    from burnish_sensor.totals import CallTotals

    made = CallTotals()
    durations = [1_000 * (number % 90 + 1) * step for step in (1, 2, 3, 5, 8, 13)]
    made.own.extend(durations)
    made.wall.extend(durations)
    made.callers[max(number - 1, 0)] = len(durations)
    calls[number] = made


_sources: dict[int, Source] = {}


def _function(registry: Registry, number: int) -> int:
    module, place = divmod(number, FUNCTIONS_PER_MODULE)
    body = (
        "def f{0}(order, lines):\n    total = sum(line.price * line.count for line in lines)\n    return order, total\n"
    )
    if module not in _sources:
        _sources[module] = Source("".join(body.format(at) for at in range(FUNCTIONS_PER_MODULE)))
    line = place * 3 + 1
    name = f"application.package.module_{module}:f{place}"
    return registry.add(Function(name, f"m{module}.py", line, line + 2, "function", _sources[module]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=20_000)
    parser.add_argument("--entries", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--switch", type=float, default=0.1)
    parser.add_argument("--output", choices=("directory", "http"), default="directory")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.pop("BURNISH_SENSOR", None)
    main()
