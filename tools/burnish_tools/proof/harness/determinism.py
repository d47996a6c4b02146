"""The same clock and the same randomness in both arms.

The clock starts each request at a fixed instant and moves on a little with every reading *from one place of the code*,
so that two readings differ but a reading that a fix removed elsewhere does not shift the others. Random numbers,
`uuid4`, `secrets` and `os.urandom` are seeded anew for each request: distributions stay what they are, and sequences
repeat. `time.monotonic` and `perf_counter` keep running.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

STEP_SECONDS = 0.001

_real_time = time.time
_random = random.Random()
_seed = 0
_readings: dict[tuple[str, str], int] = {}
_instant = 0.0
_offset: float | None = None


def install(instant: float, step: bool, seed: int) -> None:
    """Freezes the clock at `instant` (`step`) or only moves it there and lets it run (for measuring time)."""
    global _seed, _instant, _offset
    _seed, _instant = seed, instant
    _offset = None if step else instant - _real_time()
    time.time = _now
    time.time_ns = lambda: int(_now() * 1e9)
    _replace_builtin(datetime.datetime, "now", _datetime_now)
    _replace_builtin(datetime.datetime, "utcnow", _datetime_utcnow)
    _replace_builtin(datetime.datetime, "today", _datetime_now)
    _replace_builtin(datetime.date, "today", _date_today)
    if step:
        os.urandom = _urandom
        random._urandom = _urandom  # type: ignore[attr-defined]
    restart()


def restart() -> None:
    """To the beginning: called before each request."""
    _readings.clear()
    _random.seed(_seed)
    random.seed(_seed)


def _now(depth: int = 1) -> float:
    if _offset is not None:
        return _real_time() + _offset
    code = sys._getframe(depth).f_code
    place = (code.co_filename.rpartition("/")[2], code.co_name)
    _readings[place] = _readings.get(place, 0) + 1
    return _instant + STEP_SECONDS * _readings[place]


def _urandom(size: int) -> bytes:
    return _random.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def _datetime_now(cls: Any, tz: Any = None) -> Any:
    return cls.fromtimestamp(_now(2), tz)


def _datetime_utcnow(cls: Any) -> Any:
    return cls.fromtimestamp(_now(2), datetime.timezone.utc).replace(tzinfo=None)


def _date_today(cls: Any) -> Any:
    return cls.fromtimestamp(_now(2))


def _replace_builtin(kind: type, name: str, function: Callable[..., Any]) -> None:
    """In the class's own dictionary: modules that already hold `datetime` see it too, and no class is exchanged."""
    (namespace,) = (d for d in gc.get_referents(kind.__dict__) if isinstance(d, dict))
    namespace[name] = classmethod(function)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
