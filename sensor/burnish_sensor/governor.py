"""Keeps the sensor's cost under its budget by sampling the functions that are called most.

While everything is cheap, each call of each function is recorded. When that would cost more than half of the budget,
the hottest functions are *shed*: they run their light code (``variants.py``), and in short slices, whose phase is
random, the counting code and then the timed code. The other half of the budget pays for the slices.

The number of calls is a ratio estimate over the CPU time of the process: calls counted in the slices, times CPU time
since the function was shed, over CPU time in the slices, each without the calibrated cost of counting. (Hansen,
Hurwitz, Madow, *Sample Survey Methods and Theory*, 1953, chapter 4; CPU time and not wall time because what a service
does is proportional to the first, and because our own cost can be taken out of it.) The calls recorded in the timed
slices stand for that number: each with the weight ``estimate / recorded``.

A function is never shed that issued a query, whose mean wall time is above 1 ms, or whose code cannot be exchanged.
"""

from __future__ import annotations

import ast
import random
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any, Callable

from .meter import Costs, Meter
from .registry import Registry, Source
from .sampling import Sampling
from .variants import Slots

_NEVER = 1 << 62
_MS = 1_000_000
_SLICE_NS = 2 * _MS
_TIMED_CALLS_PER_SLICE = 256
_SHORTEST_REST_NS = 5 * _MS
#: CPython numbers the versions of functions with 32 bits and specialises no call once they are used up: at most 500
#: exchanges a second, so that they last for 99 days
_REST_PER_EXCHANGE_NS = 2 * _MS
_DECIDE_NS = 10 * _MS
_SLOW_NS = 1 * _MS
_RARE_CALLS_PER_SECOND = 20
#: the least CPU time in slices from which a rate is taken
_ENOUGH_NS = 2 * _MS
#: a function stays shed for at least this time, doubled each time that it is shed again, at most so often
_SHED_FOR_NS = 2_000 * _MS
_LONGEST_SHED = 8


class _Shed:
    """What was counted of a function since its last estimate, and the two CPU times at that estimate.

    It is not restored before ``until``, on the steady clock. ``prior`` is its calls for each ns of CPU time before.
    """

    __slots__ = ("all_cpu", "calls", "prior", "slice_cpu", "until")

    def __init__(self, all_cpu: float, slice_cpu: float, until: int, prior: float) -> None:
        self.all_cpu, self.slice_cpu, self.calls = all_cpu, slice_cpu, 0
        self.until, self.prior = until, prior


class Governor:
    """Decides what is shed and runs the slices. All methods but ``slice_is_full`` are for the flush thread.

    ``clock`` and ``cpu`` return nanoseconds: of any steady clock, and of the CPU time of the process.
    """

    def __init__(
        self,
        sampling: Sampling,
        slots: Slots,
        registry: Registry,
        budget: float,
        clock: Callable[[], int],
        cpu: Callable[[], int],
        draw: random.Random,
    ) -> None:
        self.budget, self.costs, self.meter = budget, Costs(), Meter()
        self._sampling, self._slots, self._registry = sampling, slots, registry
        self._clock, self._cpu, self._draw = clock, cpu, draw
        #: CPU time of the thread that calls ``step``, in ns, kept up to date by it
        self.own_cpu = 0
        self._estimates: Counter[int] = Counter()
        self._lock = threading.Lock()
        sampling.full = self.slice_is_full
        self._restart()

    def _restart(self) -> None:
        self._shed: dict[int, _Shed] = {}
        self._times_shed: Counter[int] = Counter()
        self._next: Callable[[], None] = self._begin_counting
        #: when ``step`` wants to be called
        self.due = _NEVER
        #: cost of slices since the start, in ns
        self._slices_cost = 0.0
        self._exchanged = 0
        self._slice_cpu = 0.0
        self._counting: frozenset[int] = frozenset()
        self._slice_start = self._decided = self._cpu()
        self._decided_at = self._clock()
        self._rest_from, self._rest = self._cpu(), 0.0
        self._paid = self._reported = 0.0

    @property
    def sampled(self) -> int:
        """How many functions are sampled now."""
        return len(self._shed)

    # Decisions

    def decide(self) -> None:
        """Shed or restore functions, by what ``meter`` holds. To be called after all that was recorded was folded."""
        cpu, now = self._cpu(), self._clock()
        span = cpu - self._decided
        if span < _DECIDE_NS:
            return
        costs = self._costs_by_function()
        cost = sum(costs.values())
        allowed = self.budget / 2 * span
        changed = self._restore_unfit()
        if cost > allowed:
            seconds = (now - self._decided_at) / 1e9
            changed |= self._shed_dearest(costs, cost - allowed, _RARE_CALLS_PER_SECOND * seconds * self.costs.call)
        elif self._shed and cost < allowed / 2:
            changed |= self._restore_coldest(allowed / 2 - cost, span)
        if changed:
            self._sampling.use(frozenset(self._shed))
        self._decided, self._decided_at = cpu, now
        self.meter.restart()

    def _costs_by_function(self) -> dict[int, float]:
        """What recording the functions that are not shed cost since the last decision, in ns."""
        calls, slices = self.meter.calls, self._sampling.slices
        costs = {function: count * self.costs.call for function, count in calls.items()}
        for function in list(slices):
            cost = slices.pop(function, 0) * self.costs.resumption
            if function in self._shed:
                self._slices_cost += cost
            else:
                costs[function] = costs.get(function, 0.0) + cost
        return costs

    def _shed_dearest(self, costs: dict[int, float], excess: float, least: float) -> bool:
        trees: dict[Source, ast.Module] = {}
        before = len(self._shed)
        for function, cost in sorted(costs.items(), key=lambda item: (-item[1], item[0])):
            if excess <= 0 or cost <= least:
                break
            count = self.meter.calls[function]
            slow = self.meter.wall[function] > count * _SLOW_NS and self._is_plain(function)
            if slow or function in self._sampling.pinned or function in self._shed or not self._build(function, trees):
                continue
            until = self._clock() + (_SHED_FOR_NS << min(self._times_shed[function], _LONGEST_SHED))
            self._times_shed[function] += 1
            prior = count / max(self._cpu() - self._decided - sum(costs.values()), 1.0)
            self._shed[function] = _Shed(self._app_cpu(), self._slice_cpu, until, prior)
            self._exchange(function, self._slots[function].light)
            excess -= cost
        if self._shed and not before:
            self.due = self._clock()
        return len(self._shed) > before

    def _is_plain(self, function: int) -> bool:
        return self._registry.functions[function].kind == "function"

    def _build(self, function: int, trees: dict[Source, ast.Module]) -> bool:
        slot = self._slots.get(function)
        source = self._registry.functions[function].source
        if slot is None or slot.broken or source is None:
            return False
        try:
            if slot.light is None and source not in trees:
                trees[source] = ast.parse(source.text)
            if slot.light is None and not self._slots.build(function, trees[source]):
                return False
        except Exception:  # noqa: BLE001 - whatever the parser or the compiler meets: this function stays exact
            slot.broken = True
            return False
        for code in (slot.light, slot.counting):
            if code is not None:
                self._sampling.numbers_of_code[code] = function
        return True

    def _restore_unfit(self) -> bool:
        """Restore what must be exact from now on: it issued a query, or its code cannot be exchanged any more."""
        unfit = [
            function
            for function in self._shed
            if function in self._sampling.pinned or self._slots[function].broken or self._slots[function].light is None
        ]
        for function in unfit:
            self._restore(function)
        return bool(unfit)

    def _restore_coldest(self, room: float, span: int) -> bool:
        """Restore the function that is called least if that leaves ``room``; one at a time, to see what it does."""
        rates = []
        for function, shed in self._shed.items():
            slice_cpu = self._slice_cpu - shed.slice_cpu
            if slice_cpu >= _ENOUGH_NS and self._clock() >= shed.until:
                rates.append((shed.calls / slice_cpu, function))
        if not rates or min(rates)[0] * span * self.costs.call > room:
            return False
        self._restore(min(rates)[1])
        return True

    def _restore(self, function: int) -> None:
        with self._lock:  # the end of a slice in another thread must not undo it
            shed = self._shed.pop(function)
            self._exchange(function, None)
        self._estimates[function] += self._estimate(shed, last=True)
        if not self._shed:
            self.due = _NEVER
            self._next = self._begin_counting

    def _exchange(self, function: int, code: Any) -> None:
        exchanged = self._slots[function].exchange(code)
        self._slices_cost += exchanged * self.costs.exchange
        self._exchanged += exchanged

    # Slices

    def step(self) -> None:
        """Begin or end a slice if that is due. Never blocks."""
        if self._clock() >= self.due:
            self._next()

    def _begin_counting(self) -> None:
        missing = self._rest - (self._cpu() - self._rest_from)
        if missing > 0:
            self.due = self._clock() + max(int(missing), _SHORTEST_REST_NS)
            return
        for function in self._shed:
            self._slots[function].counted.clear()
        self._counting = frozenset(self._shed)
        self._slice_start = self._others_cpu()
        self._exchange_all("counting")
        self._wait_for(self._begin_timing)

    def _begin_timing(self) -> None:
        self._exchange_all("light")
        end = self._others_cpu()
        counts = {function: len(self._slots[function].counted) for function in self._shed}
        counted = sum(counts.values())
        cost = counted * self.costs.count
        slice_cpu = max(end - self._slice_start - cost, 0.0)
        self._slice_cpu += slice_cpu
        self._slices_cost += cost
        for function, shed in self._shed.items():
            shed.calls += counts[function]
            if function not in self._counting:  # shed since the slice began
                shed.slice_cpu += slice_cpu
        if counted:
            self._sampling.room = _TIMED_CALLS_PER_SLICE
            self._exchange_all(None)
        self._wait_for(self._end)

    def slice_is_full(self) -> None:
        """End the timed slice; called by the thread that made its last call, which must not wait."""
        if self._lock.acquire(blocking=False):
            try:
                for function in list(self._shed):
                    self._slots[function].exchange(self._slots[function].light)
            finally:
                self._lock.release()

    def _end(self) -> None:
        self._exchange_all("light")
        room = min(max(self._sampling.room, 0), _TIMED_CALLS_PER_SLICE)
        self._slices_cost += (_TIMED_CALLS_PER_SLICE - room) * self.costs.sampled
        self._sampling.room = _TIMED_CALLS_PER_SLICE
        spent = self._slices_cost - self._paid
        self._paid = self._slices_cost
        self._rest_from = self._cpu()
        self._rest = spent / (self.budget / 2) * self._draw.uniform(0.5, 1.5)
        shortest = max(self._exchanged * _REST_PER_EXCHANGE_NS, _SHORTEST_REST_NS)
        self._exchanged = 0
        self._wait_for(self._begin_counting, max(int(self._rest), shortest))

    def _exchange_all(self, form: str | None) -> None:
        with self._lock:
            for function in list(self._shed):
                self._exchange(function, form and getattr(self._slots[function], form))

    def _wait_for(self, then: Callable[[], None], ns: int = _SLICE_NS) -> None:
        self._next, self.due = then, self._clock() + ns

    # Estimates

    def _app_cpu(self) -> float:
        """The CPU time of the application so far: that of the process without the flush thread and the slices."""
        return self._others_cpu() - self._slices_cost

    def _others_cpu(self) -> int:
        return self._cpu() - self.own_cpu

    def _estimate(self, shed: _Shed, last: bool = False) -> int:
        """The calls since the last estimate. While too little was sampled: 0, and they are kept for the next one; if
        there will be none, by the rate before the function was shed."""
        slice_cpu, every = self._slice_cpu - shed.slice_cpu, self._app_cpu()
        if slice_cpu < _ENOUGH_NS and not last:
            return 0
        rate = shed.calls / slice_cpu if slice_cpu >= _ENOUGH_NS else shed.prior
        estimate = max(round(rate * (every - shed.all_cpu)), shed.calls)
        shed.all_cpu, shed.slice_cpu, shed.calls = every, self._slice_cpu, 0
        return estimate

    def take(self, recorded: Counter[int]) -> dict[int, float]:
        """The weight of each recorded call of the functions that were sampled, at least 1, for one window.

        The estimate of a function of which no call was recorded in a timed slice is kept for the next window.
        """
        for function, shed in self._shed.items():
            self._estimates[function] += self._estimate(shed)
        weights = {}
        for function, count in recorded.items():
            if not count:
                continue
            estimate = self._estimates.pop(function, 0)
            weights[function] = max(estimate / count, 1.0)
            if estimate < count and function in self._shed:  # these are in the next estimate too
                self._estimates[function] = estimate - count
        return weights

    def tracked(self) -> frozenset[int]:
        """The functions of which calls are, or still have to be, estimated."""
        return frozenset(self._shed) | {f for f, estimate in self._estimates.items() if estimate > 0}

    def take_unrecorded(self, known: Iterable[int]) -> dict[int, int]:
        """The estimates that ``take`` kept, of the functions in ``known``."""
        return {f: self._estimates.pop(f) for f in sorted(known) if self._estimates.get(f, 0) > 0}

    def take_cost(self) -> float:
        """What the slices cost since the last time, in ns of CPU time."""
        cost, self._reported = self._slices_cost - self._reported, self._slices_cost
        return cost

    def reset(self) -> None:
        """Record everything exactly again: before a fork and at the end. To be called after a fold."""
        for function in list(self._shed):
            self._restore(function)
        self._sampling.use(frozenset())
        self._restart()

    def after_fork_in_child(self) -> None:
        """Begin anew in a process whose CPU time begins anew; the lock may be held by a thread that is not here."""
        self._lock = threading.Lock()
        self.own_cpu = 0
        self.reset()
        self._estimates.clear()
