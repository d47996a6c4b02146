"""Which calls are kept as exemplars, with their facts, and the counts from which rates are computed.

The recorder calls ``capture`` for calls that are slow and for an even sample of all (``thresholds.py`` says which). Of
each kind a fair sample of at most 8 per function and window is kept (``reservoir.py``), everything is counted. What
the windows hold of it, and how to estimate from it, is in ``docs/format.md``.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Protocol

from ..chance import Random
from ..mechanisms.registry import Registry
from ..recording.work import Work
from .facts import MISSING, arguments_of, power_class, shape_of, statements_in
from .pauses import Pauses
from .reservoir import Limit, Reservoir, foreseen
from .rows import KEPT, ROWS, Exemplar, Reservoirs, Rows, sample_size
from .thresholds import SetTrigger, Thresholds

if TYPE_CHECKING:
    from ..windows.window import Window

RATE = 20.0
BURST = 50
_SECOND = 1_000_000_000
_WAITING = 200
#: reviewing takes at most this share of the time
_REVIEW_SHARE = 0.001
_KINDS = ("uniform", "slow")


class Screen(Protocol):
    """Where the recorder draws the tags itself, and shows only calls that a reservoir would want."""

    def set_bar(self, function: int, kind: int, bar: float, /) -> None:
        """Show of the even sample (0) or the slow calls (1) of a function those with a tag below ``bar``."""

    def take_passed(self) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
        """The calls that were offered and not shown since last asked, (all, sampled) of each kind; bars are 1 again."""


class Exemplars:
    """Looks at calls and keeps some. ``capture`` may be called by any thread, the rest only by the flush thread.

    ``context`` says where the running call belongs; ``is_sampled`` whether its function's calls stand for more than
    one. ``rate`` is how many calls may be looked at in a second. ``clock`` returns ns and is that of the calls.
    ``missing`` stands for a result that is not known.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Callable[[], int],
        context: Callable[[], Work],
        set_trigger: SetTrigger,
        is_sampled: Callable[[int], bool],
        window_seconds: float = 10.0,
        rate: float = RATE,
        draw: Random | None = None,
        missing: Any = MISSING,
        screen: Screen | None = None,
    ) -> None:
        self._screen = screen
        self._registry, self._clock, self._context, self._is_sampled = registry, clock, context, is_sampled
        self._window_ns = int(window_seconds * _SECOND)
        self.pauses = Pauses(clock)
        self._missing, self._rows = missing, Rows(registry)
        self._rate, self._random = rate, draw or Random()
        #: of each of the two samples in one window
        self._most = rate / 2 * window_seconds
        self._thresholds = Thresholds(set_trigger, self._most)
        self._restart()

    def _restart(self) -> None:
        #: look at nothing, for there is no memory for it
        self.paused = False
        self._draw = self._random.random
        self._limit = Limit(self._rate, BURST, self._clock)
        self._reservoirs: Reservoirs = ({}, {})
        self._foreseen: dict[int, float] = {}
        #: those whose entry runs still
        self._looked_at: deque[Exemplar] = deque(maxlen=ROWS)
        #: of past windows, with the kind of their sample
        self._waiting: list[tuple[str, Exemplar]] = []
        self._started = self._opened = self._clock()
        self._next_review = self._started + _SECOND
        #: ns that looking at calls took, since it was last asked for
        self.cost = 0
        if self._screen is not None:
            self._screen.take_passed()

    # At the end of calls

    def capture(
        self,
        function: int,
        wall: int,
        own: int,
        uniform: bool,
        nth_call: int,
        live: int | Callable[[], int],
        queries: Any,
        frame: Any,
        result: Any = MISSING,
        context: Work | None = None,
        tags: tuple[float, float] | None = None,
    ) -> None:
        """Look at a call that ends, if there is time. Never raises.

        ``wall`` and ``own`` in ns; ``uniform``: it is in the even sample; ``nth_call``: 1 for the first in the process;
        ``live``: how many calls of the function run now, or what tells that (0: unknown); ``queries``: the CallQueries
        of the call, the number of its statements, or None; ``frame``: its Python frame; ``result``: what it returns,
        MISSING where that is not known or it raised; ``context``: where it belongs, if not where the calling thread is;
        ``tags``: those that the ``Screen`` drew.
        """
        if self.paused:
            return
        try:
            slow_ns = self._thresholds.slow_ns(function)
            slow, sampled = 0 < slow_ns <= wall, self._is_sampled(function)
            wanted = []
            for kind, offered in enumerate((uniform, slow)):
                if offered:
                    reservoir = self._reservoirs[kind].get(function) or self._reservoir(kind, function)
                    reservoir.seen += 1
                    reservoir.seen_sampled += sampled
                    tag = self._draw() if tags is None else tags[kind]
                    if reservoir.wants(tag):
                        if self._limit.admits(tag, reservoir):
                            wanted.append((kind, reservoir, tag))
                        elif self._screen is not None:
                            self._screen.set_bar(function, kind, reservoir.bar)
            if wanted:
                start = self._clock()
                exemplar = Exemplar(function, wall, own, slow, sampled, context or self._context())
                self._look(exemplar, start, nth_call, live, queries, frame, result)
                for kind, reservoir, tag in wanted:
                    reservoir.add(tag, exemplar)
                    if self._screen is not None:
                        self._screen.set_bar(function, kind, reservoir.bar)
                self._looked_at.append(exemplar)
                self.cost += self._clock() - start
        except Exception:  # noqa: BLE001 - the edge: this runs inside of the host's calls
            pass

    def _reservoir(self, kind: int, function: int) -> Reservoir:
        threshold = self._foreseen.get(function, 1.0) if kind else 1.0
        return self._reservoirs[kind].setdefault(function, Reservoir(KEPT, threshold))

    def _look(
        self,
        exemplar: Exemplar,
        now: int,
        nth_call: int,
        live: int | Callable[[], int],
        queries: Any,
        frame: Any,
        result: Any,
    ) -> None:
        facts = exemplar.facts
        exemplar.arguments = arguments_of(frame)
        if result is not MISSING and result is not self._missing:
            exemplar.result = shape_of(result)
        facts["queries"] = power_class(statements_in(queries))
        facts["first"] = nth_call == 1
        facts["age_s"] = power_class((now - self._started) // _SECOND)
        running = live if isinstance(live, int) else live()
        if running:
            facts["live"] = power_class(running)
        paused = self.pauses.within(now - exemplar.wall, now)
        if paused is not None:
            facts["gc_ns"] = power_class(paused)

    # In the flush thread

    def fold(self, window: Window) -> None:
        """Give up the entries that ended, and set the triggers of functions that have none. After each fold."""
        for _ in range(len(self._looked_at)):
            exemplar = self._looked_at.popleft()
            if not exemplar.settle(last=False):
                self._looked_at.append(exemplar)
        now = self._clock()
        if now >= self._next_review:
            self.pauses.review()
            self._thresholds.review(window, (now - self._opened) / self._window_ns, last=False)
            took = self._clock() - now
            self._next_review = now + max(_SECOND, int(took / _REVIEW_SHARE))

    def tables(self, window: Window) -> dict[str, list[dict[str, Any]]]:
        """The tables of a window that ends; the functions that they name are added to its ``named``."""
        reservoirs = self._take_reservoirs()
        conditions = self._rows.conditions(window, reservoirs, self._thresholds, self._limit.exhausted or self.paused)
        self._limit.exhausted = self.paused
        rows = []
        for kind, exemplar in self._settled(reservoirs):
            window.named.add(exemplar.function)
            rows.append(self._rows.exemplar(kind, exemplar, window.weights))
        rows.sort(key=lambda row: (row["function"], row["entry"], row["sample"], -row["wall_ns"]))
        self._thresholds.review(window, 1.0, last=True)
        self._opened = self._clock()
        return {"exemplars": rows, "conditions": conditions}

    def _take_reservoirs(self) -> Reservoirs:
        """Those of the window that ends; the next begin with what is foreseen."""
        passed = self._screen.take_passed() if self._screen is not None else ()
        reservoirs, self._reservoirs = self._reservoirs, ({}, {})
        for function, *offered in passed:
            for table, counts in zip(reservoirs, offered):
                if counts[0]:
                    table.setdefault(function, Reservoir(KEPT)).passed(*counts)
        self._foreseen = foreseen(reservoirs[1], self._most, KEPT)
        if self._screen is not None:
            for function, threshold in self._foreseen.items():
                self._screen.set_bar(function, 1, threshold)
        return reservoirs

    def _settled(self, reservoirs: Reservoirs) -> list[tuple[str, Exemplar]]:
        """What was kept, with the kind of its sample; what belongs to an entry without a name yet waits for it."""
        size, found = sample_size(reservoirs), self._waiting
        for kind, table in zip(_KINDS, reservoirs):
            found += [(kind, exemplar) for reservoir in table.values() for exemplar in reservoir.sample(size)]
        self._waiting = [each for each in found if not each[1].settle(last=True)][-_WAITING:]
        return [each for each in found if each[1].work is None][:ROWS]

    def kept(self) -> int:
        """How many exemplars are held."""
        return len(self._looked_at) + len(self._waiting)

    def take_cost(self) -> int:
        """The ns that looking at calls took since the last time."""
        cost, self.cost = self.cost, 0
        return cost

    def after_fork_in_child(self) -> None:
        """Begin anew: what was kept is the parent's to report, and the child draws other numbers."""
        self._random.seed()
        self._restart()
