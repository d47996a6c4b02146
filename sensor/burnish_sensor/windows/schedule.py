"""When windows begin and end: on multiples of their length by the wall clock, scheduled by one that never jumps."""

from __future__ import annotations

from typing import Callable

Clock = Callable[[], int]


class Schedule:
    """The window being filled. Both clocks return ns; the wall clock (Unix time) may jump, the other may not.

    A jump of the wall clock by more than a window neither stops nor hastens anything: the window that it falls into
    ends after its length, by the time that really passed, and the next one begins where the wall clock is now. So
    windows of one instance may overlap, or leave a gap, where the clock was set; none has an end before its start.
    """

    def __init__(self, length: int, unix_clock: Clock, monotonic: Clock) -> None:
        self._length, self._unix, self._monotonic = length, unix_clock, monotonic
        self.start = unix_clock()
        self._opened = monotonic()
        self._plan(self.start)

    def _plan(self, unix: int) -> None:
        self._end = (unix // self._length + 1) * self._length
        self._deadline = self._monotonic() + self._end - unix

    def left(self) -> int:
        """Ns until the window ends; not more than 0 when it is due."""
        return self._deadline - self._monotonic()

    def close(self) -> tuple[int, int]:
        """End the window now: its start and end in Unix ns. The next one begins."""
        start, now = self.start, self._now()
        end = self._aligned(now) if self.left() <= 0 else now
        end = max(now if end <= start else end, start)
        unix = self._unix()
        self.start = end if abs(unix - end) <= self._length else unix
        self._opened = self._monotonic() - (unix - self.start)
        self._plan(max(unix, self.start))
        return start, end

    def _aligned(self, now: int) -> int:
        """The multiple that was just reached; the two clocks may differ a little about that."""
        return (now + self._length // 10) // self._length * self._length

    def skip(self) -> None:
        """Nothing happened: the window goes on until the next multiple."""
        unix = self._unix()
        if abs(unix - self._passed()) > self._length:
            self.start, self._opened = unix, self._monotonic()
        self._plan(max(unix, self.start))

    def _passed(self) -> int:
        """What the wall clock would say had it not jumped since the window began."""
        return self.start + self._monotonic() - self._opened

    def _now(self) -> int:
        unix, passed = self._unix(), self._passed()
        return unix if abs(unix - passed) <= self._length else passed
