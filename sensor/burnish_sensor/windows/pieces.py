"""Writes large JSON in small steps, so that a thread of the application that wants to run never waits long.

One call of ``json.dumps`` for a whole window, one ``sort`` of all its names, or one deallocation of all its tables
would each hold the GIL for tens of milliseconds: nothing in C gives it up in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from heapq import merge
from time import perf_counter_ns
from typing import Any, Callable, TypeVar

Pace = Callable[[], None]
T = TypeVar("T")

#: How long the flush thread works before it lets others run, in ns. Well below 5 ms; not much shorter, because where
#: the application computes all the time, it is 5 ms (the switch interval) until the flush thread has its turn again.
WORK_NS = 1_000_000
_CHUNK = 256
_PIECE = 65_536

encode: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def no_pace() -> None:
    """For who shares the interpreter with nobody."""


class Paced:
    """Called between small steps of work: calls ``rest`` when there was enough of it."""

    def __init__(self, rest: Callable[[], None], clock: Callable[[], int] = perf_counter_ns) -> None:
        self._rest, self._clock = rest, clock
        self._since = clock()

    def __call__(self) -> None:
        if self._clock() - self._since >= WORK_NS:
            self._rest()
            self._since = self._clock()


def in_order(items: Iterable[T], key: Callable[[T], Any], pace: Pace) -> Iterator[T]:
    """``sorted(items, key=key)`` in small steps."""
    runs: list[list[tuple[Any, T]]] = []
    run: list[tuple[Any, T]] = []
    for item in items:
        run.append((key(item), item))
        if len(run) == _CHUNK:
            run.sort(key=_first)
            runs.append(run)
            run = []
            pace()
    run.sort(key=_first)
    runs.append(run)
    for run in runs:
        run.reverse()
    return (item for _, item in merge(*map(emptied, runs), key=_first))


def emptied(items: list[T] | set[T]) -> Iterator[T]:
    """What a list (from its end) or a set holds, given up one by one: to let go of many at once takes long."""
    while items:
        yield items.pop()


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def array(name: str, rows: Iterable[Any], pace: Pace) -> Iterator[str]:
    """``"name":[row,row,…]``; a string is one row or more that are encoded already."""
    yield f'"{name}":['
    separator = ""
    for row in rows:
        yield separator + (row if isinstance(row, str) else encode(row))
        separator = ","
        pace()
    yield "]"


def mapping(name: str, pairs: Iterable[tuple[str, Any]], pace: Pace) -> Iterator[str]:
    """``"name":{key:value,…}``"""
    yield f'"{name}":{{'
    separator = ""
    for key, value in pairs:
        yield f"{separator}{encode(key)}:{encode(value)}"
        separator = ","
        pace()
    yield "}"


def as_bytes(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts in UTF-8, joined into pieces of some 64 KB."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _PIECE:
            yield "".join(waiting).encode("utf-8")
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode("utf-8")
