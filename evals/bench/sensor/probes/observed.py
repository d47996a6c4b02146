"""Functions whose truth is known: each waits on the clock for as long as it is told, and logs how long it really did.

This text is repeated by `accuracy.py` with a number in place of each `_N`, so that every function is one of its own.
Only this module is under BURNISH_ROOT: what plays it is not observed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from array import array
from collections.abc import Iterator
from time import perf_counter_ns as clock

walls_N = array("q")
owns_N = array("q")
log_N = walls_N.append
own_N = owns_N.append


def busy_N(duration: int) -> None:
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    log_N(now - start)


def failing_N(duration: int, fail: bool) -> None:
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    log_N(now - start)
    if fail:
        raise ValueError


def recursive_N(duration: int, depth: int, outermost: bool = True) -> None:
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    if depth > 1:
        recursive_N(duration, depth - 1, False)
        now = clock()
    if outermost:
        log_N(now - start)


def generator_N(duration: int, steps: int) -> Iterator[None]:
    began = now = clock()
    for _ in range(steps):
        start = clock()
        end = start + duration
        now = start
        while now < end:
            now = clock()
        own_N(now - start)
        yield
    log_N(now - began)


async def awaiting_N(duration: int, pause: float) -> None:
    began = clock()
    end = began + duration
    now = began
    while now < end:
        now = clock()
    own_N(now - began)
    await asyncio.sleep(pause)
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    own_N(now - start)
    log_N(now - began)


def asking_N(duration: int, cursor: sqlite3.Cursor) -> None:
    start = clock()
    cursor.execute("SELECT count(*) FROM numbers WHERE value > ?", (duration,)).fetchall()
    log_N(clock() - start)
