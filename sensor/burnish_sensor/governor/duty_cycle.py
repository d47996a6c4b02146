"""Short slices in which functions that are sampled report, and what follows from them.

A slice has two phases: some functions, drawn anew each time, count their calls; then (in each second slice) all
functions time them. So many are drawn as slow the program down by 10 %: more would cost more, and the more a slice is
slowed down, the less its rates tell of the rest. Between slices the functions run light for a rest whose length is what
the slices cost over the budget, times a random factor, so that periodic work cannot keep step. The end of a phase comes
from the thread that calls ``step``, or from a call in the phase itself (``phase_is_over``) where that thread would have
to wait for the interpreter.

The number of calls is a ratio estimate (``estimate.py``) over the CPU time of the application: calls counted, times CPU
time since the last estimate, over CPU time in the counting phases, each without the cost of counting
(``counting_cost.py``). CPU time and not wall time because what a service does is proportional to the first, and because
our own cost can be taken out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from .. import threads
from ..chance import Random
from ..mechanisms.switch import COUNTING, LIGHT, TIMED, Switch
from ..recording.meter import Costs
from ..recording.sampling import Sampling
from .counting_cost import CountingCost
from .estimate import RatioEstimate
from .weighting import Estimate

NEVER = 1 << 62
_MS = 1_000_000
COUNTING_NS = 5 * _MS
TIMED_NS = 1 * _MS
#: calls still running at the end of a timed phase have this long to end
_END_NS = 5 * _MS
_TIMED_EVERY = 2
#: how much counting may slow a slice down
_LOAD = 0.1
#: the cost of counting is estimated anew after so many slices
_REVIEW_EVERY = 32
_SHORTEST_REST_NS = 5 * _MS
#: the least CPU time in counting phases from which a rate is taken
ENOUGH_NS = 2 * _MS

Clock = Callable[[], int]


class Shed:
    """A function that is sampled: what its slices held since its last estimate.

    ``since`` is the application's CPU time at that estimate, ``until`` the steady clock's before which it is not
    restored, ``prior`` its calls for each ns of CPU time before it was shed.
    """

    __slots__ = ("calls", "prior", "rate", "since", "times", "until")

    def __init__(self, since: float, until: int, prior: float) -> None:
        self.since, self.until = since, until
        #: the latest rate that is known
        self.prior = self.rate = prior
        self.restart()

    def restart(self) -> None:
        """Forget the slices so far."""
        self.calls, self.times = RatioEstimate(), RatioEstimate()


class DutyCycle:
    """Runs the slices of the functions in ``shed``. ``clock`` and ``cpu`` return ns: of a steady clock, of the process.

    ``share`` is what slices may cost, as a share of CPU time. ``own`` returns the CPU time of the sensor's own thread.
    """

    def __init__(
        self, switch: Switch, sampling: Sampling, share: float, clock: Clock, cpu: Clock, draw: Random
    ) -> None:
        self.share = share
        self._costs, self.counting = Costs(), CountingCost()
        self.own: Clock = lambda: 0
        self._switch, self._sampling = switch, sampling
        self._clock, self._cpu, self._draw = clock, cpu, draw
        sampling.over = self.phase_is_over
        self.restart()

    @property
    def costs(self) -> Costs:
        """What recording costs in this process."""
        return self._costs

    @costs.setter
    def costs(self, costs: Costs) -> None:
        self._costs, self.counting.calibrated = costs, costs.counted

    def restart(self) -> None:
        """Begin anew, without functions; also in the child of a fork, where another thread may have held the lock."""
        self._lock = threads.Lock()
        self.shed: dict[int, Shed] = {}
        #: when ``step`` wants to be called
        self.due = NEVER
        #: what slices cost since the start, in ns
        self.cost = 0.0
        #: what the steps of the sensor's own thread cost since the start, in ns
        self.steps_cost = 0
        self._paid = 0.0
        self.counting.restart()
        self._exchanged = self._number = 0
        self._next: Callable[[], None] = self._begin
        self._form = LIGHT
        self._in_slice: frozenset[int] = frozenset()
        self._start = 0
        self._rest_from, self._rest = self._cpu(), 0.0

    # What is sampled

    def add(self, function: int, until: int, prior: float) -> None:
        """Sample a function from now on; its form can be changed."""
        with self._lock:
            if not self.shed:
                self.due, self._next = self._clock(), self._begin
            self.shed[function] = Shed(self._app_cpu(), until, prior)
            self._change((function,), LIGHT)

    def remove(self, function: int) -> Estimate:
        """Sample it no more; the last estimate."""
        with self._lock:  # the end of a phase in another thread must not undo it
            shed = self.shed.pop(function)
            self._change((function,), TIMED)
            if not self.shed:
                self.due, self._next, self._form = NEVER, self._begin, LIGHT
        return self._last(shed)

    # Phases

    def step(self) -> None:
        """Begin or end a phase if that is due. Waits for nothing but the end of ``phase_is_over``."""
        if self._clock() >= self.due:
            before = self.own()
            with self._lock:
                self._next()
            self.steps_cost += self.own() - before

    def phase_is_over(self) -> None:
        """End the phase that runs; called in the middle of a call of the application, which must not wait."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._form == COUNTING:
                self._next()
            elif self._form == TIMED:
                self._end_timing()
        finally:
            self._lock.release()

    def _begin(self) -> None:
        missing = self._rest - (self._cpu() - self._rest_from)
        if missing > 0:
            self.due = self._clock() + max(int(missing), _SHORTEST_REST_NS)
            return
        self._number += 1
        self._in_slice = self._drawn()
        self._change(self._in_slice, COUNTING)
        self._begin_phase(COUNTING, COUNTING_NS, self._end_counting)
        self._switch.restart_counts(self._in_slice)
        self._start = self._others_cpu()

    def _drawn(self) -> frozenset[int]:
        """Functions that together slow the program down by ``_LOAD`` when they count.

        One that does more than that alone is drawn with others, which tell how much it slows down.
        """
        functions = sorted(self.shed)
        self._draw.shuffle(functions)
        load = 0.0
        drawn: list[int] = []
        for function in functions:
            more = self.shed[function].rate * self.counting.ns
            if not drawn or load + more <= _LOAD:
                load += more if drawn or more <= _LOAD else 0.0
                drawn.append(function)
        return frozenset(drawn)

    def _begin_phase(self, form: int, ns: int, then: Callable[[], None]) -> None:
        self._form = form
        self._sampling.begin_phase(form, ns)
        self._wait_for(then, ns)

    def _end_counting(self) -> None:
        took = self._others_cpu() - self._start
        counts = self._switch.take_counts([function for function in self._in_slice if function in self.shed])
        cost = sum(counts.values()) * self.counting.ns
        self.cost += cost
        self.counting.add(took, counts)
        if self._number % _REVIEW_EVERY == 0:
            self.counting.review()
        for function, count in counts.items():
            self.shed[function].calls.add(max(took - cost, 0.0), count)
        if self._number % _TIMED_EVERY == 0:
            self._change(counts, LIGHT)
            self._form = LIGHT
            self._rest_now()
            return
        self._change(self.shed, TIMED)
        self._begin_phase(TIMED, TIMED_NS, self._end_timing)

    def _end_timing(self) -> None:
        self._change(self.shed, LIGHT)
        self._form = LIGHT
        self._wait_for(self._end, _END_NS)

    def _end(self) -> None:
        self._count_exchanges(self._switch.end_slice(self.shed))
        calls = 0
        for function, (count, wall) in self._sampling.recorded().items():
            calls += count
            if function in self.shed and count:
                self.shed[function].times.add(count, wall)
        self.cost += calls * self.costs.sampled
        self._rest_now()

    def _rest_now(self) -> None:
        """Rest until the slice is paid for."""
        spent = self.cost + self.steps_cost - self._paid
        self._paid += spent
        self._rest_from = self._cpu()
        self._rest = spent / self.share * self._draw.uniform(0.5, 1.5)
        shortest = max(self._exchanged * self.costs.rest_per_exchange, _SHORTEST_REST_NS)
        self._exchanged = 0
        self._wait_for(self._begin, max(int(self._rest), shortest))

    def _wait_for(self, then: Callable[[], None], ns: int) -> None:
        self._next, self.due = then, self._clock() + ns

    def _change(self, functions: Iterable[int], form: int) -> None:
        self._count_exchanges(self._switch.change(list(functions), form))

    def _count_exchanges(self, exchanged: int) -> None:
        self.cost += exchanged * self.costs.exchange
        self._exchanged += exchanged

    # Estimates

    def _others_cpu(self) -> int:
        return self._cpu() - self.own()

    def _app_cpu(self) -> float:
        """The CPU time of the application so far: that of the process without the sensor's thread and the slices."""
        return self._others_cpu() - self.cost

    def estimate(self, function: int) -> Estimate | None:
        """The calls since the last estimate; None while too little was sampled: they are kept for the next one."""
        shed = self.shed[function]
        return self._estimate(shed) if shed.calls.x >= ENOUGH_NS else None

    def _last(self, shed: Shed) -> Estimate:
        """The same if there will be no next one: by the rate before the function was shed where nothing is known."""
        if shed.calls.x >= ENOUGH_NS:
            return self._estimate(shed)
        calls = round(shed.prior * (self._app_cpu() - shed.since))
        return Estimate(max(calls, int(shed.calls.y)), 1.0)

    def _estimate(self, shed: Shed) -> Estimate:
        now = self._app_cpu()
        calls = max(round(shed.calls.rate * (now - shed.since)), int(shed.calls.y))
        error = shed.calls.relative_error(shed.calls.y)
        time_error = shed.times.relative_error(shed.times.x) if shed.times.n else 0.0
        shed.since, shed.rate = now, shed.calls.rate
        shed.restart()
        return Estimate(calls, error, time_error)
