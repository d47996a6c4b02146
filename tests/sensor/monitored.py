"""A native recorder under ``sys.monitoring`` (3.12 and later), and what ``sys.setprofile`` says of the same run."""

from __future__ import annotations

import dis
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from burnish_sensor.recording.native import NativeRecorder, load
from burnish_sensor.windows.window import Window
from tests.sensor.support import FakeClock

FLAGS = {0x20: "generator", 0x80: "coroutine", 0x200: "async_generator"}


def codes_of(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_of(constant)


def kind_of(code: CodeType) -> str:
    return next((kind for flag, kind in FLAGS.items() if code.co_flags & flag), "function")


class Monitored:
    """The functions of a text, each a number from 1 in the order of the text, recorded by events."""

    TOOL = 4

    def __init__(self, text: str, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.module = load()
        self.recorder = NativeRecorder(self.module, self.clock)
        self.core = self.recorder.core
        module = compile(textwrap.dedent(text), "app.py", "exec")
        self.codes = [code for code in codes_of(module) if not code.co_name.startswith("<")]
        self.numbers = {code.co_name: number for number, code in enumerate(self.codes, 1)}
        self.app: dict[str, Any] = {"tick": self.clock.advance, "recorder": self.recorder}
        exec(module, self.app)
        for number, code in enumerate(self.codes, 1):
            self.core.register(number, kind_of(code), code)

    def __enter__(self) -> Monitored:
        monitoring: Any = sys.monitoring
        events = monitoring.events
        monitoring.use_tool_id(self.TOOL, "burnish-test")
        for event, hook in (
            (events.PY_START, self.core.on_start),
            (events.PY_RETURN, self.core.on_return),
            (events.PY_YIELD, self.core.on_yield),
            (events.PY_RESUME, self.core.on_resume),
            (events.PY_THROW, self.core.on_throw),
            (events.PY_UNWIND, self.core.on_unwind),
        ):
            monitoring.register_callback(self.TOOL, event, hook)
        for code in self.codes:
            monitoring.set_local_events(
                self.TOOL, code, events.PY_START | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME
            )
        monitoring.set_events(self.TOOL, events.PY_THROW | events.PY_UNWIND)
        return self

    def __exit__(self, *error: object) -> None:
        monitoring: Any = sys.monitoring
        monitoring.set_events(self.TOOL, 0)
        for code in self.codes:
            monitoring.set_local_events(self.TOOL, code, 0)
        for event in range(8):
            monitoring.register_callback(self.TOOL, 1 << event, None)
        monitoring.free_tool_id(self.TOOL)

    def __getitem__(self, name: str) -> Any:
        return self.app[name]

    def calls(self) -> dict[str, dict[str, Any]]:
        """By name: calls, sums of wall and own time, callers, errors; over all entries."""
        window = Window(500)
        self.recorder.take(window)
        names = {number: name for name, number in self.numbers.items()} | {0: ""}
        found: dict[str, dict[str, Any]] = {}
        for totals in window.totals.values():
            for table in (totals.calls, totals.sampled):
                for number, row in table.items():
                    wall, own = row.wall.to_dict(), row.own.to_dict()
                    short = found.setdefault(
                        names[number], {"calls": 0, "wall": 0, "own": 0, "callers": {}, "errors": {}}
                    )
                    short["calls"] += own["count"]
                    short["wall"] += wall["sum"]
                    short["own"] += own["sum"]
                    for caller, n in row.callers.items():
                        if n:
                            short["callers"][names[caller]] = short["callers"].get(names[caller], 0) + n
                    short["errors"].update(row.errors)
        return found


class Truth:
    """Counts calls by (function, nearest function of ours below), with ``sys.setprofile`` on every thread."""

    def __init__(self, codes: list[CodeType]) -> None:
        #: where each begins; a later slice of a generator, which is a call for the profiler too, begins further on
        self._first = {code: first_resume(code) for code in codes}
        self.callers: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Truth:
        threading.setprofile(self._event)
        sys.setprofile(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or frame.f_lasti > self._first.get(frame.f_code, -1):
            return
        below = frame.f_back
        while below is not None and below.f_code not in self._first:
            below = below.f_back
        self.callers[frame.f_code.co_name, below.f_code.co_name if below else ""] += 1


def first_resume(code: CodeType) -> int:
    return next(instruction.offset for instruction in dis.get_instructions(code) if instruction.opname == "RESUME")
