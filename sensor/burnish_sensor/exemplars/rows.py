"""The rows of exemplars and of the counts beside them, as ``docs/format.md`` has them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..governor.weighting import Weight, weight_of
from ..mechanisms.registry import OTHER, Function, Registry
from ..recording.work import Work
from .facts import UNKNOWN, Fact, Parameters, Shape, described, named, parameters_of
from .reservoir import Reservoir
from .thresholds import Thresholds

if TYPE_CHECKING:
    from ..windows.window import Window

KEPT = 8
ROWS = 2_000
_PARAMETERS = 2_000
_TYPES = 2_000
_NOTHING = Reservoir(0)
#: the reservoirs of the even sample and of the slow calls, by function
Reservoirs = tuple[dict[int, Reservoir], dict[int, Reservoir]]


class Exemplar:
    """One call that was looked at. ``work`` is given up once the name of its entry is known."""

    __slots__ = ("arguments", "entry", "facts", "function", "notes", "own", "result", "sampled", "slow", "wall", "work")

    def __init__(self, function: int, wall: int, own: int, slow: bool, sampled: bool, work: Work) -> None:
        self.function, self.wall, self.own = function, wall, own
        self.slow, self.sampled = slow, sampled
        self.work: Work | None = work
        self.entry = ""
        self.arguments: dict[str, Shape] = {}
        self.result: Shape | None = None
        self.facts: dict[str, Fact] = {}
        self.notes: dict[str, Fact] = {}

    def settle(self, last: bool) -> bool:
        """Take the name and the notes of the entry if it has ended, or for the last time if it has a name."""
        work = self.work
        if work is not None and (not work.open or (last and (work.name or not work.kind))):
            self.entry, self.notes, self.work = work.name, dict(work.notes), None
        return self.work is None


class Rows:
    """Makes the rows. What it learns of functions and types is bounded."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._parameters: dict[int, Parameters] = {}
        self._types: set[str] = set()

    def exemplar(self, kind: str, exemplar: Exemplar, weights: dict[int, Weight]) -> dict[str, Any]:
        """The row of one call in the sample ``kind``; ``weights``: how many calls one of a function stands for."""
        definition = self._registry.functions[exemplar.function]
        row: dict[str, Any] = {
            "function": definition.name,
            "entry": exemplar.entry,
            "sample": kind,
            "slow": exemplar.slow,
            "wall_ns": exemplar.wall,
            "own_ns": exemplar.own,
            "facts": self._facts(exemplar, definition),
        }
        rate = weight_of(weights, exemplar.function) if exemplar.sampled else 1.0
        return {**row, "rate": round(rate, 3)} if rate > 1 else row

    def _facts(self, exemplar: Exemplar, definition: Function) -> dict[str, Fact]:
        facts = named(exemplar.arguments, self._parameters_of(exemplar.function, definition))
        if exemplar.result is not None:
            facts.update(described("result", exemplar.result))
        for key, fact in facts.items():
            if key.endswith(".type") and isinstance(fact, str):
                facts[key] = self._bounded(fact)
        notes = {"note." + key: note for key, note in exemplar.notes.items()}
        return {**facts, **exemplar.facts, **notes}

    def _parameters_of(self, number: int, definition: Function) -> Parameters:
        known = self._parameters.get(number)
        if known is None:
            if len(self._parameters) >= _PARAMETERS:
                self._parameters.clear()
            try:
                known = parameters_of(definition)
            except Exception:  # noqa: BLE001 - whatever the source holds
                known = UNKNOWN
            self._parameters[number] = known
        return known

    def _bounded(self, name: str) -> str:
        if name not in self._types:
            if len(self._types) >= _TYPES:
                return OTHER
            self._types.add(name)
        return name

    def conditions(
        self, window: Window, reservoirs: Reservoirs, thresholds: Thresholds, hurried: bool
    ) -> list[dict[str, Any]]:
        """The counts of each function of which calls were, or could have been, looked at; ``hurried``: not fairly."""
        size, (uniform, slow) = sample_size(reservoirs), reservoirs
        rows = []
        wanted = uniform.keys() | slow.keys() | {f for f, (_, every) in thresholds.triggers.items() if every}
        for function, (calls, rate) in _calls_of(window, wanted).items():
            even, tail = uniform.get(function, _NOTHING), slow.get(function, _NOTHING)
            every = thresholds.every(function)
            weighted = round(tail.seen - tail.seen_sampled + tail.seen_sampled * weight_of(window.weights, function))
            row = {
                "function": self._registry.functions[function].name,
                "calls": calls,
                "slow_ns": thresholds.slow_ns(function),
                "slow_calls": min(weighted, calls),
                "slow_kept": len(tail.sample(size)),
                "uniform_every": every,
                "uniform_seen": even.seen,
                "uniform_kept": len(even.sample(size)),
            }
            marks = {**({"rate": rate} if rate > 1 else {}), **({"hurried": True} if hurried else {})}
            rows.append({**row, **marks})
        return sorted(rows, key=lambda row: str(row["function"]))[:ROWS]


def sample_size(reservoirs: Reservoirs) -> int:
    """How many to keep of each, so that there are no more rows than allowed: fewer of each, for a fair sample."""
    counts = [len(reservoir.kept) for table in reservoirs for reservoir in table.values()]
    return next((size for size in range(KEPT, 1, -1) if sum(min(n, size) for n in counts) <= ROWS), 1)


def _calls_of(window: Window, wanted: set[int]) -> dict[int, tuple[int, float]]:
    """The calls with a wall time of functions in a window, and how many calls a recorded one stands for."""
    exact, sampled = Counter[int](), Counter[int]()
    for totals in window.totals.values():
        for into, table in ((exact, totals.calls), (sampled, totals.sampled)):
            for function in table.keys() & wanted:
                into[function] += table[function].wall.count
    found = {}
    for function in wanted:
        if window.rows is not None:
            exact[function] += window.rows.calls_of(function)
        recorded = exact[function] + sampled[function]
        calls = exact[function] + round(sampled[function] * weight_of(window.weights, function))
        if recorded:
            found[function] = calls, round(calls / recorded, 3)
    return found
