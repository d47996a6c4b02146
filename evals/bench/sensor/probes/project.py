"""Imports a generated project, and calls all its functions in several windows. Argument: see `memory.py`, `imports.py`.

Prints the time of the imports, and resident memory in KiB: after the imports, after each window, and the peak.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import sys
import time
from collections.abc import Iterator
from types import FunctionType
from typing import Any


def main() -> None:
    """Start the sensor where it is asked for, import, call."""
    told = json.loads(sys.argv[1])
    sys.path[0] = told["root"]
    if told["variant"] == "sensor":
        import burnish_sensor

        burnish_sensor.start()
    names = told["modules"]
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    modules = [importlib.import_module(name) for name in names]
    found: dict[str, Any] = {"cpu_ns": time.process_time_ns() - cpu, "wall_ns": time.perf_counter_ns() - wall}
    resident = [memory_kb("VmRSS")]
    functions = [function for module in modules for function in functions_of(module)] if told["windows"] else []
    for _ in range(told["windows"]):
        resident.append(one_window(functions, told["window_seconds"]))
    print(json.dumps({**found, "functions": len(functions), "rss_kb": resident, "peak_kb": memory_kb("VmHWM")}))


def one_window(functions: list[FunctionType], seconds: float) -> int:
    """Every function three times, the rest of the window asleep; then resident memory."""
    end = time.monotonic() + seconds
    for _ in range(3):
        for function in functions:
            function(3)
    time.sleep(max(0.0, end - time.monotonic()) + 0.2)
    gc.collect()
    return memory_kb("VmRSS")


def functions_of(owner: Any) -> Iterator[FunctionType]:
    """Functions of a module and its classes."""
    for value in vars(owner).values():
        if inspect.isfunction(value):
            yield value
        elif inspect.isclass(value) and value.__module__ == owner.__name__:
            yield from functions_of(value)


def memory_kb(key: str) -> int:
    """A line of /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


if __name__ == "__main__":
    main()
