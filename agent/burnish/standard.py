"""A function's hours or days at a fixed mix of entries, so that a change in traffic is no change in speed.

A cell is one hour or day of one function in one release. Its value is the direct standardisation of epidemiology
(Fleiss, Levin & Paik 2003, ch. 19): the mean per call of each entry, weighted by how often each was called in the
reference. Where a cell lacks an entry, the entries that it has speak for it:

    value = Σ share × mean(cell, entry) ÷ Σ share × mean(reference, entry) × Σ share × mean(reference, entry)
            └─────────── over the entries of the cell ───────────────────┘   └────── over all entries ──────┘
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from burnish.profile import Stretch

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


class Sums(NamedTuple):
    """Of one entry; times in ns."""

    calls: float
    wall: float
    own: float
    queries: float

    def plus(self, other: Sums) -> Sums:
        """Both."""
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))


NOTHING = Sums(0, 0.0, 0.0, 0.0)
WALL, OWN, QUERIES = 1, 2, 3
"""What a value is the mean of: a place in `Sums`."""


@dataclass(frozen=True)
class Cell:
    """One hour or day of one function in one release."""

    start_unix_ns: int
    release: str
    entries: Mapping[str, Sums]

    @property
    def calls(self) -> int:
        """Over all entries."""
        return round(sum(sums.calls for sums in self.entries.values()))

    def plus(self, other: Cell) -> Cell:
        """Both, at this one's place."""
        names = {**self.entries, **other.entries}
        both = {e: self.entries.get(e, NOTHING).plus(other.entries.get(e, NOTHING)) for e in names}
        return Cell(self.start_unix_ns, self.release, both)


def cells(stretches: Iterable[Stretch], *, by_release: bool = True) -> dict[str, list[Cell]]:
    """The cells of each function, oldest first; stretches without a call are none. Releases that ran at the same time
    are cells of their own, or one with an empty name."""
    found: dict[str, dict[tuple[int, str], dict[str, Sums]]] = {}
    for s in stretches:
        if s.calls > 0:
            key = s.start_unix_ns, s.release if by_release else ""
            entries = found.setdefault(s.function, {}).setdefault(key, {})
            entries[s.entry] = entries.get(s.entry, NOTHING).plus(Sums(s.calls, s.wall_ns, s.own_ns, s.queries))
    return {name: [Cell(*key, entries) for key, entries in sorted(by.items())] for name, by in found.items()}


def at_least(some: Sequence[Cell], calls: int) -> list[Cell]:
    """Neighbours of one release put together until each has so many calls; what is left over at the end is dropped."""
    waiting: dict[str, Cell] = {}
    full: list[Cell] = []
    for cell in some:
        kept = waiting.pop(cell.release, None)
        both = kept.plus(cell) if kept is not None else cell
        if both.calls >= calls:
            full.append(both)
        else:
            waiting[cell.release] = both
    return sorted(full, key=lambda cell: (cell.start_unix_ns, cell.release))


class Mix:
    """The reference: how often each entry was called, and what a call of it took."""

    def __init__(self, reference: Iterable[Cell], measure: int) -> None:
        self.measure = measure
        self._totals = totals(reference)
        calls = sum(sums.calls for sums in self._totals.values())
        self._shares = {entry: sums.calls / calls for entry, sums in self._totals.items()} if calls else {}
        self.mean = sum(share * self._mean(entry) for entry, share in self._shares.items())

    def value(self, cell: Cell) -> float | None:
        """The cell's mean per call at the reference's mix (ns, or queries); None where they share no entry."""
        there = [(self._shares[e], e, s) for e, s in cell.entries.items() if e in self._shares]
        share = sum(part for part, _, _ in there)
        if not share:
            return None
        got = sum(part * sums[self.measure] / sums.calls for part, _, sums in there)
        expected = sum(part * self._mean(entry) for part, entry, _ in there)
        return got / expected * self.mean if expected else got / share

    def values(self, some: Iterable[Cell], drift: Mapping[tuple[int, str], float] | None = None) -> list[float]:
        """Of all cells that have one, divided by what everything else did meanwhile."""
        pairs = ((cell, self.value(cell)) for cell in some)
        known = drift or {}
        return [v / known.get((cell.start_unix_ns, cell.release), 1.0) for cell, v in pairs if v is not None]

    def _mean(self, entry: str) -> float:
        sums = self._totals[entry]
        return sums[self.measure] / sums.calls


def totals(some: Iterable[Cell]) -> dict[str, Sums]:
    """By entry, over all cells."""
    total: dict[str, Sums] = {}
    for cell in some:
        for entry, sums in cell.entries.items():
            total[entry] = total.get(entry, NOTHING).plus(sums)
    return total


def crude(some: Iterable[Cell], measure: int) -> float:
    """The mean per call as it was, whatever the mix; 0 without a call."""
    total = NOTHING
    for sums in totals(some).values():
        total = total.plus(sums)
    return total[measure] / total.calls if total.calls else 0.0


def drift(control: Mapping[str, Sequence[Cell]], least: int) -> dict[tuple[int, str], float]:
    """What the machine did to everybody: by (start, release), the median over unchanged functions of their own time
    against its usual. Empty with fewer than `least` functions; a cell with fewer takes the median of its release."""
    ratios: dict[tuple[int, str], list[float]] = {}
    for some in control.values():
        mix = Mix(some, OWN)
        for cell in some:
            value = mix.value(cell)
            if value is not None and mix.mean > 0:
                ratios.setdefault((cell.start_unix_ns, cell.release), []).append(value / mix.mean)
    known = {key: median(r) for key, r in ratios.items() if len(r) >= least and median(r) > 0}
    by_release: dict[str, list[float]] = {}
    for (_, release), value in known.items():
        by_release.setdefault(release, []).append(value)
    usual = {release: median(values) for release, values in by_release.items()}
    return {key: known.get(key, usual.get(key[1], 1.0)) for key in ratios} if known else {}
