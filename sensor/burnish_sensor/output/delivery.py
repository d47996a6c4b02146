"""Sends what waits in the spool: in a thread of its own, so that no request and no fold of calls waits for a network.

A window leaves the spool only when the other side has answered for it: it arrives at least once. What may succeed
later is tried again after a random time from an interval that doubles with each failure ("full jitter"), so that the
processes of a service do not come back all at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Callable

from .. import threads
from ..notice import Notices
from .spool import Item, Spool
from .transport import ACCEPTED, LATER, REFUSED, TOO_LARGE, Answer, Transport

ATTEMPT_SECONDS = 5.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
#: what the other side may ask for with Retry-After
_LONGEST_WAIT = 300.0
_ADOPT_SECONDS = 30.0
#: how long a fork waits for the thread; one that is in the resolver cannot be ended
_PAUSE_SECONDS = 0.25


class Delivery:
    """A sink whose windows go to somebody who answers for them.

    ``connect`` makes the transport when it is needed first, in the thread that sends: its libraries take time to
    import, and gevent wants to patch them before anybody has them. ``draw`` returns a number from 0 to 1.
    """

    def __init__(
        self,
        place: str,
        spool: Spool,
        connect: Callable[[], Transport],
        notices: Notices,
        draw: Callable[[], float] | None = None,
    ) -> None:
        self._place, self._spool, self._connect, self._notices = place, spool, connect, notices
        self._draw = draw or random.Random().random  # not the host's own sequence of random numbers
        self._transport: Transport | None = None
        self._batch = 1
        self._failures = 0
        self._not_before = 0.0
        self._adopt_at = 0.0
        self._lock = threads.Lock()
        self._wake = threads.Event()
        self._thread: threads.Thread | None = None
        self._running = self._halt = False
        self._deadline: float | None = None

    @property
    def dropped(self) -> int:
        """How many windows were written and will never arrive."""
        return self._spool.dropped

    def write(self, start: int, sequence: int, pieces: Iterable[bytes]) -> bool:
        """Keep a window until it is taken. Raises what ``pieces`` raises."""
        self._spool.add(start, sequence, pieces)
        self.start()
        self._wake.set()
        return True

    def start(self) -> None:
        """Start the thread that sends, if it does not run. Python 3.12 refuses when the interpreter is ending."""
        if not self._lock.acquire(timeout=0.5):  # a signal came while it was held below on this stack
            return
        try:
            self._halt = False
            if not self._running:
                thread = threads.Thread(self._run)
                thread.start()
                self._thread, self._running = thread, True
        except RuntimeError:
            pass
        finally:
            self._lock.release()

    def _run(self) -> None:
        try:
            transport = self._transport = self._connect()
            try:
                while self._wait():
                    self._step(transport)
            finally:
                transport.close()
        except Exception as error:  # noqa: BLE001 - the edge: a thread of the host's process must not die noisily
            self._notices.say("delivery", f"sending windows to {self._place} failed: {error!r}; they wait.")
            self._running = False

    def _wait(self) -> bool:
        """Wait until there is something to do; False when that is to end."""
        while True:
            self._wake = wake = threads.Event()  # before the state is looked at: what changes it sets this one
            with self._lock:
                seconds = self._seconds_left()
                if seconds is None:
                    self._running = False
                    return False
            if seconds <= 0:
                return True
            wake.wait(seconds)

    def _seconds_left(self) -> float | None:
        """Until there is something to do; None to end."""
        now, waiting = time.monotonic(), len(self._spool) > 0
        if self._deadline is not None:
            return 0.0 if waiting and not self._halt and not self._failures and now < self._deadline else None
        if self._halt:
            return None
        return max(self._not_before, 0.0 if waiting else self._adopt_at) - now

    def _step(self, transport: Transport) -> None:
        if time.monotonic() >= self._adopt_at and self._deadline is None:
            self._spool.adopt()
            self._adopt_at = time.monotonic() + _ADOPT_SECONDS
        batch = self._spool.batch(self._batch, transport.batch_bytes)
        if not batch:
            return
        answer = self._sent(transport, batch)
        if self._halt and answer.verdict != ACCEPTED:  # ended by us
            self._spool.done([])
        else:
            self._heed(answer, [item for item, _ in batch], transport.batch)

    def _sent(self, transport: Transport, batch: list[tuple[Item, bytes]]) -> Answer:
        seconds = ATTEMPT_SECONDS
        if self._deadline is not None:
            seconds = max(0.05, min(seconds, self._deadline - time.monotonic()))
        try:
            return transport.send(batch, seconds)
        except (OSError, ValueError) as error:
            return Answer(LATER, getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _heed(self, answer: Answer, items: list[Item], largest: int) -> None:
        if answer.verdict == ACCEPTED:
            self._failures = 0
            self._batch = min(largest, self._batch * 2)
            self._spool.done(items)
        elif answer.verdict == LATER:
            self._spool.done([])
            self._put_off(answer)
        elif len(items) > 1:  # one window may be the reason: find out which, and lose no other
            self._batch = len(items) // 2
        else:
            self._spool.done(items, lost=True)
            self._notices.say(answer.verdict, self._loss(answer))

    def _loss(self, answer: Answer) -> str:
        what = {TOO_LARGE: "a window is too large for", REFUSED: "windows are refused by"}[answer.verdict]
        return f"{what} {self._place} ({answer.reason}); what it does not take is dropped, and counted in the data."

    def _put_off(self, answer: Answer) -> None:
        interval = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures, 10))
        self._failures += 1
        self._batch = max(1, self._batch // 2)
        pause = max(interval * self._draw(), min(answer.wait, _LONGEST_WAIT))
        self._not_before = time.monotonic() + pause
        self._notices.say(
            "later", f"{self._place} does not take windows now ({answer.reason}); they wait, and are sent again."
        )

    def pause(self) -> None:
        """Before a fork: end the thread; the next window starts it again. What it was sending is sent again."""
        thread = self._thread
        if thread is not None:
            self._end()
            thread.join(_PAUSE_SECONDS)

    def _end(self) -> None:
        self._halt = True
        self._wake.set()
        if self._transport is not None:
            self._transport.abort()

    def close(self, seconds: float) -> None:
        """One more attempt for at most ``seconds``; what was not taken by then is left in the spool."""
        self._failures = 0
        self._deadline = time.monotonic() + seconds
        self.start()
        self._wake.set()
        if not self._running and len(self._spool):
            self._run()  # no thread may be started any more: here, without a bound on the time that the resolver takes
        elif self._thread is not None:
            self._thread.join(seconds)
            if self._running:  # the lock on what it still sends is given back by the end of the process
                self._end()
                return
        self._spool.close()

    def forget(self) -> None:
        """In a forked child: the spool and the connection are the parent's."""
        self._spool.forget()
