"""What a window tells of calls that were looked at, function by function, bounded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from burnish.conditions import Exemplar
from burnish_tools.runtime.format import ExemplarRow, LookedRow, Window

KEPT = 16
"""Exemplars of one function, window and stratum (slow or not): 8 of each of the sensor's two samples. Of more a random
sample is kept, which `burnish.conditions` weighs like all of them."""


def looked_at(window: Window) -> Iterator[tuple[LookedRow, list[ExemplarRow]]]:
    """The counts of each function with its exemplars; without counts where the entry of a call ended in a later
    window. What is kept of many is the same whenever it is asked."""
    by_function: dict[str, list[ExemplarRow]] = {}
    for exemplar in window.exemplars:
        by_function.setdefault(exemplar.function, []).append(exemplar)
    counts = {looked.function: looked for looked in window.conditions}
    for function in by_function:
        counts.setdefault(function, LookedRow(function=function, calls=0))
    rng = random.Random(f"{window.instance} {window.sequence}")
    for looked in counts.values():
        yield looked, list(_kept(by_function.get(looked.function, ()), rng))


def _kept(exemplars: Sequence[ExemplarRow], rng: random.Random) -> Iterator[ExemplarRow]:
    for slow in (True, False):
        stratum = [row for row in exemplars if row.slow is slow]
        yield from stratum if len(stratum) <= KEPT else rng.sample(stratum, KEPT)


def exemplars_of(function: str, rows: Iterable[Mapping[str, Any]]) -> tuple[Exemplar, ...]:
    """What was written of a function's calls. It was checked when it came; here it is thousands of rows at a time."""
    return tuple(
        Exemplar(
            function,
            row["sample"],
            row["slow"],
            row["wall_ns"],
            row.get("own_ns", 0),
            row.get("entry", ""),
            row.get("facts", _NONE),
            row.get("rate", 1.0),
        )
        for row in rows
    )


_NONE: Mapping[str, Any] = MappingProxyType({})
