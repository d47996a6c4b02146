"""How long a thread of the application cannot run while a large window is written.

    python evals/bench/sensor/flush_gil.py [--functions 20000] [--entries 3] [--rounds 3] [--output directory|http]

A second thread does nothing but look at the clocks; between two looks it could not run. Printed for each round, while a
window is written and during the same time without one:

- longest, 99.9 %: the longest time between two looks, and the quantile of those above 0.02 ms. Without a flush this is
  what the machine does to a thread; on a busy machine it says little else.
- flush: the most CPU time that the flushing thread took between two looks: how long it held the GIL, whatever else the
  machine did (more than that, where it worked without the GIL: in zlib, and in the system).
- ran: the share of the time that the looking thread had.

Python takes the GIL from a thread that is asked for it only after the switch interval (5 ms), and not inside of a
call in C. To see what the flush does of itself, --switch sets that interval (in ms); the last line is for programs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sensor"))

from burnish_sensor import threads
from burnish_sensor.mechanisms.registry import Function, Registry, Source
from burnish_sensor.queries.statements import Statements
from burnish_sensor.recording.recorder import Recorder
from burnish_sensor.settings import read_settings
from burnish_sensor.windows.flush import Flusher
from burnish_sensor.windows.window import EntryTotals, Window

FUNCTIONS_PER_MODULE = 40
SHORTEST_NS = 20_000


class Watcher:
    """Looks at the clocks without pause, and keeps the gaps. ``flush`` returns the CPU time of the flushing thread."""

    def __init__(self, flush: Callable[[], int]) -> None:
        self._gaps: list[int] = []
        self._flush = flush
        self._halt = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._halt = True
        self._thread.join()

    def _run(self) -> None:
        held, spent = 0, self._flush()
        last = began = time.perf_counter_ns()
        while not self._halt:
            now = time.perf_counter_ns()
            if now - last > SHORTEST_NS:
                self._gaps.append(now - last)
                before, spent = spent, self._flush()
                held = max(held, spent - before)
            last = now
        self.took, self.held = last - began, held / 1e6
        self._gaps = sorted(self._gaps) or [0]
        self.longest = self._gaps[-1] / 1e6
        self.high = self._gaps[int(0.999 * (len(self._gaps) - 1))] / 1e6
        self.ran = 1 - sum(self._gaps) / self.took

    def report(self, name: str) -> str:
        """The line of a round; times in ms."""
        times = f"{self.longest:10.2f} ms {self.high:8.2f} ms {self.held:8.2f} ms"
        return f"{name:<14} {self.took / 1e9:7.2f} s {times} {self.ran:8.0%}"


def main() -> None:
    """Run the rounds and print them."""
    options = _options()
    sys.setswitchinterval(options.switch / 1e3)
    rounds: list[tuple[Watcher, Watcher]] = []
    with tempfile.TemporaryDirectory() as folder:
        flusher, fill = _flusher(Path(folder), options)
        print(f"Python {sys.version.split()[0]}, {options.functions} functions x {options.entries} entries")
        print(f"{'':<14} {'time':>9} {'longest':>13} {'99.9 %':>11} {'flush':>11} {'ran':>8}")
        for _ in range(options.rounds):
            fill()
            gc.collect()
            rounds.append(_round(flusher))
            print(rounds[-1][0].report("with a flush"))
            print(rounds[-1][1].report("without"))
    print(json.dumps(_summary(rounds)))


def _round(flusher: Flusher) -> tuple[Watcher, Watcher]:
    thread = _FlushThread(flusher)
    with Watcher(thread.cpu) as during:
        thread.start()
        thread.join()
    with Watcher(lambda: 0) as beside:
        time.sleep(during.took / 1e9)
    return during, beside


def _summary(rounds: list[tuple[Watcher, Watcher]]) -> dict[str, float]:
    """The medians over the rounds, and the largest for what must never be long."""
    return {
        "gil_held_by_the_flush_ms": round(max(during.held for during, _ in rounds), 3),
        "longest_wait_with_flush_ms": round(median(during.longest for during, _ in rounds), 3),
        "longest_wait_without_ms": round(median(beside.longest for _, beside in rounds), 3),
        "flush_seconds": round(median(during.took / 1e9 for during, _ in rounds), 3),
    }


class _FlushThread:
    """A thread that the flusher takes for its own, and its CPU clock."""

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self._clock = -1
        self._cpu = 0
        self._thread = threads.Thread(self._run)
        flusher._thread = self._thread

    def _run(self) -> None:
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._flusher.flush()
        self._cpu, self._clock = time.thread_time_ns(), -1

    def cpu(self) -> int:
        """Ns; the last value where it does not run."""
        clock = self._clock
        return time.clock_gettime_ns(clock) if clock != -1 else self._cpu

    def start(self) -> None:
        """Begin to flush."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of it."""
        self._thread.join(600)


def _flusher(folder: Path, options: argparse.Namespace) -> tuple[Flusher, Callable[[], None]]:
    output = "http://127.0.0.1:9/" if options.output == "http" else str(folder / "windows")
    environ = {"BURNISH_OUTPUT": output, "BURNISH_SPOOL": str(folder / "spool"), "BURNISH_RELEASE": "bench"}
    settings = read_settings(environ, str(folder))._replace(functions=options.functions + 1)
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
    from burnish_sensor.recording.totals import CallTotals

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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--switch", type=float, default=0.1)
    parser.add_argument("--output", choices=("directory", "http"), default="directory")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.pop("BURNISH_SENSOR", None)
    main()
