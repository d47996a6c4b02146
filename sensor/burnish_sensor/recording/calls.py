"""What the rest of the package asks of a recorder: ``recorder.py`` or, in C, ``native.py``, with equal results."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable, Protocol

from .sampling import Sampling
from .work import Work

if TYPE_CHECKING:
    from ..queries.log import QueryLog
    from ..queries.statements import Statements
    from ..windows.window import Window
    from .meter import Meter

Clock = Callable[[], int]
Hooks = dict[str, Callable[..., Any]]
#: stands for a call or an entry between its begin and its end; only the recorder looks inside
Token = Any


class Calls(Protocol):
    """Records calls, each in the work that it is a part of. Times are in ns. No method but ``take`` is slow."""

    clock: Clock
    #: the entry that this thread or task works for
    entry: ContextVar[Work | None]
    #: called now and then, never on the hot path: the flush thread is started by it
    wake: Callable[[], None]
    #: what is passed to ``Exemplars.capture`` as the result of a call where that is not known
    missing: Any
    #: draws the tags of calls that are offered to ``Exemplars.capture``; None: nobody does
    screen: Any

    @property
    def sampling(self) -> Sampling:
        """What it knows of functions that are sampled."""

    def set_trigger(self, function: int, slow_ns: int, every: int) -> None:
        """Show ``capture`` the calls of at least ``slow_ns`` (0: none) and one in ``every`` of all (0: none)."""

    def show_to(self, capture: Callable[..., None]) -> None:
        """Show calls that a trigger asks for to ``Exemplars.capture`` when they end."""

    def context(self) -> Work:
        """Where things are accumulated now, on this thread."""

    def function(self) -> int:
        """The innermost application function whose call is being recorded on this thread; 0: none."""

    def query_log(self, statements: Statements, files: dict[str, str]) -> QueryLog:
        """What hooks of databases call; ``files`` are the relative paths of the application's files by path.

        A statement belongs to ``function()``, at the file and line of the innermost function's frame whose code is of
        one of them. When a call ends, what it ran is summed with its function, and passed to the call or entry below;
        so that of a call which is not recorded is that of the recorded one below.
        """

    def new_context(self, name: str, kind: str) -> Work:
        """The work of an entry that is about to begin."""

    def push_entry(self, context: Any) -> Token:
        """Begin an entry on this thread."""

    def pop_entry(self, token: Token) -> None:
        """End an entry: its time below belongs to the call that it was begun in."""

    def suspend(self, token: Token) -> None:
        """A slice of a generator, coroutine or entry ends here; nothing happens if it does not run."""

    def resume(self, token: Token) -> None:
        """A slice begins, on top of what this thread does now; nothing happens if it runs already."""

    def error(self, token: Token) -> None:
        """Count the exception being handled against the function of a call."""

    def switch_stack(self, key: int, base: int = 0) -> None:
        """This thread goes on with the greenlet ``key``; the first time in a thread: that one runs already.

        A greenlet that was not seen before begins at the bottom, or, with ``base``, on top of what that greenlet does.
        """

    def drop_stack(self, key: int) -> None:
        """A greenlet of this thread that does not run will never run again; its key may be used for another."""

    def call_hooks(self, cost: int = 0) -> Hooks:
        """What rewritten code calls, by name. ``cost`` is the time in ns that observing a call takes outside of what is
        measured as its own: it is kept out of the times of the functions below."""

    def pending(self) -> int:
        """About how many calls and entries wait for ``take``; 0: none, unless in work that does not run any more."""

    def memory(self) -> int:
        """Bytes that are held; 0 where that is not known."""

    def narrow(self, level: int) -> None:
        """Record 0: everything, 1: no new callers of known functions, 2: no new rows either; where that is possible."""

    @property
    def dropped_rows(self) -> int:
        """Calls that were not recorded at level 2 so far."""

    def take(self, window: Window, meter: Meter | None = None, last: bool = True) -> None:
        """Move what was recorded into the totals of a window. ``meter`` counts the calls that were not sampled.

        Where the window goes on (not ``last``) the totals of calls may be behind.
        """

    def grew(self) -> bool:
        """Whether a function called another that it did not call before, since this was last asked."""

    def rouse(self) -> None:
        """Let the next call of each kind call ``wake`` again."""

    def forget(self) -> None:
        """After a fork, in the child: drop what was recorded, which the parent reports. What is open goes on."""
