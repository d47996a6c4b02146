from __future__ import annotations

import pytest

from burnish_sensor.windows.schedule import Schedule

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
LENGTH = 10 * SECOND


class Clocks:
    """A wall clock that can be set, and one that only goes on."""

    def __init__(self) -> None:
        self.unix = 1_750_000_003 * SECOND
        self.monotonic = 77 * SECOND
        self.schedule = Schedule(LENGTH, lambda: self.unix, lambda: self.monotonic)

    def pass_by(self, ns: int) -> None:
        self.unix += ns
        self.monotonic += ns

    def run(self, windows: int) -> list[tuple[int, int]]:
        """Close so many windows, each a moment after it is due."""
        found = []
        for _ in range(windows):
            self.pass_by(self.schedule.left() + 3_000_000)
            found.append(self.schedule.close())
        return found


def test_windows_end_on_multiples_of_their_length() -> None:
    found = Clocks().run(4)
    assert [end % LENGTH for _, end in found] == [0] * 4
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert found[0][1] - found[0][0] == 7 * SECOND


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -25 * SECOND, 25 * SECOND])
def test_a_clock_that_is_set_does_not_stop_or_hasten_windows(jump: int) -> None:
    clocks = Clocks()
    clocks.run(1)
    clocks.pass_by(4 * SECOND)
    clocks.unix += jump
    assert 5 * SECOND < clocks.schedule.left() <= 6 * SECOND
    before = clocks.monotonic
    found = clocks.run(4)
    assert clocks.monotonic - before < 41 * SECOND
    assert found[0][1] - found[0][0] == LENGTH
    assert all(0 < end - start <= 2 * LENGTH for start, end in found)
    assert [end % LENGTH for _, end in found] == [0] * 4
    assert abs(found[-1][1] - clocks.unix) < SECOND


@pytest.mark.parametrize("jump", [-HOUR, -3 * SECOND, -1, 3 * SECOND, HOUR])
@pytest.mark.parametrize("passed", [0, 1, 4 * SECOND])
def test_a_window_closed_early_never_ends_before_it_starts(jump: int, passed: int) -> None:
    clocks = Clocks()
    clocks.pass_by(passed)
    clocks.unix += jump
    start, end = clocks.schedule.close()
    assert 0 <= end - start <= passed + 2 * LENGTH
    assert 0 < clocks.schedule.left() <= 2 * LENGTH


def test_a_window_in_which_nothing_happened_goes_on() -> None:
    clocks = Clocks()
    clocks.pass_by(clocks.schedule.left())
    clocks.schedule.skip()
    assert clocks.schedule.left() == LENGTH
    ((start, end),) = clocks.run(1)
    assert end - start == 17 * SECOND


def test_a_clock_that_is_set_while_nothing_happens() -> None:
    clocks = Clocks()
    clocks.unix -= HOUR
    clocks.pass_by(clocks.schedule.left())
    clocks.schedule.skip()
    ((start, end),) = clocks.run(1)
    assert 0 < end - start <= 2 * LENGTH
    assert abs(end - clocks.unix) < SECOND


def test_a_process_that_stood_still_for_a_minute() -> None:
    clocks = Clocks()
    clocks.pass_by(67 * SECOND)
    _, end = clocks.schedule.close()
    assert end == clocks.unix
    assert clocks.schedule.left() == LENGTH
