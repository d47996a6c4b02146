"""Does a fixed amount of a program's work and prints how much CPU time it took. Argument: see `cpu.py`."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Start what is measured, import the program, warm up, measure."""
    told = json.loads(sys.argv[1])
    rivals = importlib.import_module("rivals")
    sys.path[0] = told["root"]
    if told["variant"] == "sensor":
        import burnish_sensor

        burnish_sensor.start()
    forget(told["libraries"])
    program = importlib.import_module("run_benchmark")
    check_origin(told)
    rivals.start(told["variant"], told["root"])
    exec(told["setup"], vars(program))  # noqa: S102 - text of programs.py
    work = eval(told["work"], vars(program))
    warm = timed(work, told["warm"])
    measured = timed(work, told["rounds"])
    print(json.dumps({"warm": warm, "cpu_ns": measured[0], "wall_ns": measured[1]}))


def forget(libraries: list[str]) -> None:
    """What this process, or the sensor, has imported of an observed library was not the copy that is observed."""
    for name in list(sys.modules):
        if name.partition(".")[0] in libraries:
            del sys.modules[name]


def check_origin(told: dict[str, Any]) -> None:
    """Raises where a library did not come from the copy: its functions would not be observed."""
    for library in told["libraries"]:
        file = str(sys.modules[library].__file__)
        if not file.startswith(told["root"]):
            raise SystemExit(f"{library} was imported from {file}, not from {told['root']}")


def timed(work: Callable[[], object], times: int) -> tuple[int, int]:
    """CPU time of the whole process, and wall time, in ns."""
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(times):
        work()
    return time.process_time_ns() - cpu, time.perf_counter_ns() - wall


if __name__ == "__main__":
    main()
