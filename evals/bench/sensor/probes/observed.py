"""Functions whose truth is known: each waits on the clock for as long as it is told, and logs how long it really did.

This text is repeated by `accuracy.py` with a number in place of each `_N`, so that every function is one of its own. Only
this module is under BURNISH_ROOT: what plays it is not observed.
"""

from __future__ import annotations

import asyncio
from array import array
from time import perf_counter_ns as clock

walls_N = array("q")
owns_N = array("q")
log_N = walls_N.append
own_N = owns_N.append


def busy_N(duration):
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    log_N(now - start)


def failing_N(duration, fail):
    start = clock()
    end = start + duration
    now = start
    while now < end:
        now = clock()
    log_N(now - start)
    if fail:
        raise ValueError


def recursive_N(duration, depth, outermost=True):
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


def generator_N(duration, steps):
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


async def awaiting_N(duration, pause):
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


def asking_N(duration, cursor):
    start = clock()
    cursor.execute("SELECT count(*) FROM numbers WHERE value > ?", (duration,)).fetchall()
    log_N(clock() - start)
