"""Keeps the sensor's cost under its budget by sampling the functions that are called most.

While everything is cheap, each call of each function is recorded. When that would cost more than half of the budget,
the dearest functions are *shed*: they run light, and report in short slices only (``duty_cycle.py``), which may cost
what is left of the budget, at least half of it. The calls recorded in the slices stand for the estimated number of
calls: each with the weight ``estimate / recorded``.

A function is never shed whose mean wall time is above 1 ms (of generators and coroutines only where statements run in
their calls), or whose form cannot be changed; with the native core neither is one that is called less than 1,000 times
a second, until the process makes more than 100,000 observed calls a second.

Statements, and where they are issued, are exact whatever is shed: they come from hooks of the libraries. How many of
them one call of a function runs is known of recorded calls only, so the functions of statements are shed last: those
above a statement only where all others do not save enough, and call sites, which are the nearest to one, only where
those do not either. Of the functions that may be shed then, the dearest go first: cost is measured, and grows with the
calls. A function that turns out to be closer to statements than it was thought to be when it was shed is restored, so
that this is decided anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Callable

from ..chance import Random
from ..mechanisms.registry import Registry
from ..mechanisms.switch import Switch
from ..recording.meter import Costs, Meter
from ..recording.sampling import CALL_SITE, Sampling
from .duty_cycle import ENOUGH_NS, DutyCycle
from .weighting import Estimate, Weight, merged

_MS = 1_000_000
_DECIDE_NS = 10 * _MS
_SLOW_NS = 1 * _MS
#: calls a second below which a function is not shed: what that can cost is less than 0.01 % of a core in pure Python
_RARE, _RARE_WHEN_CHEAP = 20, 1_000
#: calls a second of the process above which every function can be shed
_BUSY = 100_000
#: rates are taken over at least so many seconds: what is called in a burst at the start is not called often
_LEAST_SECONDS = 1.0
#: the dearest ones are nearly all of the cost; to change the form of many takes long
_MOST_SHED = 1_000
#: slices from which it is believed that a function is called seldom now
_SLICES_TO_TRUST = 5
#: a function stays shed for at least this time, doubled each time that it is shed again, at most so often
_SHED_FOR_NS = 2_000 * _MS
_LONGEST_SHED = 8


class Governor:
    """Decides what is shed. All methods are for the flush thread.

    ``clock`` and ``cpu`` return nanoseconds: of any steady clock, and of the CPU time of the process.
    """

    def __init__(
        self,
        sampling: Sampling,
        switch: Switch,
        registry: Registry,
        budget: float,
        clock: Callable[[], int],
        cpu: Callable[[], int],
        draw: Random,
    ) -> None:
        self.budget, self.meter = budget, Meter()
        self._costs = Costs()
        self._sampling, self._switch, self._registry = sampling, switch, registry
        self._clock, self._cpu = clock, cpu
        self.duty = DutyCycle(switch, sampling, budget / 2, clock, cpu, draw)
        self._estimates: dict[int, list[Estimate]] = {}
        self._restart()

    def _restart(self) -> None:
        self.duty.restart()
        self._times_shed: Counter[int] = Counter()
        #: how close to statements a function was thought to be when it was shed
        self._closeness: dict[int, int] = {}
        self._decided, self._decided_at = self._cpu(), self._clock()
        #: calls of the functions that are not sampled, since a time on the steady clock
        self._recent: Counter[int] = Counter()
        self._recent_from = self._decided_at
        self._reported = 0.0
        self._restored = False
        #: CPU time of the flush thread for other things than slices, at the last decision
        self._upkeep = 0

    @property
    def costs(self) -> Costs:
        """What recording costs in this process."""
        return self._costs

    @costs.setter
    def costs(self, costs: Costs) -> None:
        self._costs = self.duty.costs = costs

    @property
    def sampled(self) -> int:
        """How many functions are sampled now."""
        return len(self.duty.shed)

    # Decisions

    def decide(self) -> None:
        """Shed or restore functions, by what ``meter`` holds. To be called after all that was recorded was folded."""
        cpu, now = self._cpu(), self._clock()
        span = cpu - self._decided
        if span < _DECIDE_NS:
            return
        self._note_calls(now)
        costs = self._costs_by_function()
        cost = sum(costs.values())
        upkeep = self.duty.own() - self.duty.steps_cost
        self.duty.share = max(self.budget - (cost + upkeep - self._upkeep) / span, self.budget / 2)
        self._upkeep = upkeep
        allowed = self.budget / 2 * span
        changed = self._restore_unfit()
        if cost > allowed:
            changed |= self._shed_dearest(costs, cost - allowed, self._rare_calls(now))
        elif self.duty.shed and cost < allowed / 2:
            changed |= self._restore_coldest(allowed / 2 - cost, span)
        if changed:
            self._sampling.use(frozenset(self.duty.shed))
        self._decided, self._decided_at = cpu, now
        self.meter.restart()

    def _rare_calls(self, now: int) -> float:
        """The number of recent calls up to which a function is not shed."""
        seconds = max((now - self._recent_from) / 1e9, _LEAST_SECONDS)
        if not self.costs.cheap or sum(self._recent.values()) > _BUSY * seconds:
            return _RARE * seconds
        return _RARE_WHEN_CHEAP * seconds

    def _note_calls(self, now: int) -> None:
        if now - self._recent_from > 2 * _LEAST_SECONDS * 1e9:
            self._recent.clear()
            self._recent_from = self._decided_at
        self._recent.update(self.meter.calls)

    def _costs_by_function(self) -> dict[int, float]:
        """What recording the functions that are not shed cost since the last decision, in ns."""
        costs = {function: count * self.costs.call for function, count in self.meter.calls.items()}
        for function, count in self._sampling.take_resumptions().items():
            cost = count * self.costs.resumption
            if function in self.duty.shed:
                self.duty.cost += cost
            else:
                costs[function] = costs.get(function, 0.0) + cost
        return costs

    def _shed_dearest(self, costs: dict[int, float], excess: float, least: float) -> bool:
        span = max(self._cpu() - self._decided - sum(costs.values()), 1.0)
        dearest = sorted(costs, key=lambda function: (-costs[function], function))
        often = [function for function in dearest if self._recent[function] > least]
        chosen: list[int] = []
        for closeness in range(CALL_SITE + 1):
            near = [function for function in often if self._sampling.closeness(function) <= closeness]
            chosen = self._enough(near, costs, excess)
            if sum(costs[function] for function in chosen) >= excess:
                break
        for function in chosen:
            until = self._clock() + (_SHED_FOR_NS << min(self._times_shed[function], _LONGEST_SHED))
            self._times_shed[function] += 1
            self._closeness[function] = self._sampling.closeness(function)
            self.duty.add(function, until, self.meter.calls[function] / span)
        return bool(chosen)

    def _enough(self, dearest: list[int], costs: dict[int, float], excess: float) -> list[int]:
        """As many of these functions, from the first on, as save ``excess``; or all that may be shed."""
        chosen: list[int] = []
        for function in dearest:
            if excess <= 0 or len(self.duty.shed) + len(chosen) >= _MOST_SHED:
                break
            if self._may_be_shed(function):
                chosen.append(function)
                excess -= costs[function]
        return chosen

    def _may_be_shed(self, function: int) -> bool:
        if function in self.duty.shed:
            return False
        counts = self._registry.functions[function].kind == "function" or self._sampling.closeness(function)
        slow = counts and self.meter.wall[function] > self.meter.calls[function] * _SLOW_NS
        return not slow and self._switch.can_change(function)

    def _restore_unfit(self) -> bool:
        """Restore what is closer to statements than it was thought to be, and what cannot be changed any more."""
        closer = self._sampling.closeness
        unfit = [f for f in self.duty.shed if closer(f) > self._closeness[f] or not self._switch.can_change(f)]
        for function in unfit:
            self._restore(function)
        return bool(unfit)

    def _restore_coldest(self, room: float, span: int) -> bool:
        """Restore a function if that leaves ``room``: the closest to statements, of these the one that is called least.

        One at a time, to see what it does.
        """
        now = self._clock()
        rates = {
            function: shed.calls.rate if shed.calls.n >= _SLICES_TO_TRUST else max(shed.calls.rate, shed.rate)
            for function, shed in self.duty.shed.items()
            if shed.calls.x >= ENOUGH_NS and now >= shed.until
        }
        fitting = [function for function, rate in rates.items() if rate * span * self.costs.call <= room]
        if not fitting:
            return False
        self._restore(min(fitting, key=lambda f: (-self._sampling.closeness(f), rates[f], f)))
        return True

    def is_curious(self) -> bool:
        """Whether to decide soon again: what was just restored may be called very often. Reset by who asks."""
        curious, self._restored = self._restored, False
        return curious

    def _restore(self, function: int) -> None:
        self._restored = True
        self._keep(function, self.duty.remove(function))

    # Estimates

    def _keep(self, function: int, estimate: Estimate) -> None:
        self._estimates.setdefault(function, []).append(estimate)

    def take(self, recorded: Counter[int]) -> dict[int, Weight]:
        """The weight of each recorded call of the functions that were sampled, for one window.

        The estimate of a function of which no call was recorded in a timed phase is kept for the next window.
        """
        for function in self.duty.shed:
            estimate = self.duty.estimate(function)
            if estimate is not None:
                self._keep(function, estimate)
        weights = {}
        for function, count in recorded.items():
            if not count:
                continue
            whole = merged(self._estimates.pop(function, []))
            if whole.calls < count and function in self.duty.shed:  # these are in the next estimate too
                self._keep(function, Estimate(whole.calls - count))
            weights[function] = Weight(count, whole)
        return weights

    def tracked(self) -> frozenset[int]:
        """The functions of which calls are, or still have to be, estimated."""
        waiting = {f for f, estimates in self._estimates.items() if merged(estimates).calls > 0}
        return frozenset(self.duty.shed) | waiting

    def take_unrecorded(self, known: Iterable[int]) -> dict[int, int]:
        """The estimates that ``take`` kept, of the functions in ``known``."""
        waiting = [f for f in sorted(known) if merged(self._estimates.get(f, [])).calls > 0]
        return {function: merged(self._estimates.pop(function)).calls for function in waiting}

    def take_cost(self) -> float:
        """What the slices cost since the last time, in ns of CPU time."""
        cost, self._reported = self.duty.cost - self._reported, self.duty.cost
        return cost

    def reset(self) -> None:
        """Record everything exactly again: before a fork and at the end. To be called after a fold."""
        for function in list(self.duty.shed):
            self._restore(function)
        self._sampling.use(frozenset())
        self._restart()

    def after_fork_in_child(self) -> None:
        """Begin anew in a process whose CPU time begins anew; ``reset`` was called before the fork."""
        self._restart()
        self._estimates.clear()
