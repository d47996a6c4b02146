from __future__ import annotations

import pytest

from burnish_sensor.exemplars.thresholds import FIRST_SLOW_NS, LEAST_SLOW_NS, Thresholds
from burnish_sensor.recording.totals import CallTotals
from burnish_sensor.windows.window import EntryTotals, Window

US, MS = 1_000, 1_000_000


class Subject:
    """Thresholds, and what they set."""

    def __init__(self, most: float = 100.0) -> None:
        self.set: dict[int, tuple[int, int]] = {}
        self.times = 0
        self.thresholds = Thresholds(self._note, most)

    def _note(self, function: int, slow_ns: int, every: int) -> None:
        self.set[function] = slow_ns, every
        self.times += 1

    def window(self, *walls: list[int], entry: str = "GET x", last: bool = True, elapsed: float = 1.0) -> None:
        """A window in which functions 1, 2, … took these times, called by function 9."""
        window = Window(500)
        totals = window.totals_of(entry)
        for function, times in enumerate(walls, 1):
            row = totals.calls.setdefault(function, CallTotals())
            row.wall.extend(times)
            row.callers[9] += len(times)
        self.thresholds.review(window, elapsed, last)


def test_slow_is_what_is_above_the_95th_percentile() -> None:
    subject = Subject()
    subject.window([n * MS for n in range(1, 201)])
    slow = subject.set[1][0]
    assert 190 * MS <= slow <= 190 * MS * 1.1


def test_with_few_calls_it_stays_at_a_millisecond() -> None:
    subject = Subject()
    subject.window([50 * MS] * 63)
    assert subject.set[1][0] == FIRST_SLOW_NS
    subject.window([50 * MS])
    assert subject.set[1][0] >= 50 * MS


def test_below_100_us_nothing_is_slow() -> None:
    subject = Subject()
    subject.window([30 * US] * 1_000)
    assert subject.set[1][0] == LEAST_SLOW_NS


def test_a_tiny_function_has_a_threshold_only_where_its_tail_takes_much_of_its_time() -> None:
    subject = Subject()
    subject.window([1 * US] * 10_000 + [150 * US], [1 * US] * 10_000 + [50 * MS])
    assert subject.set[1] == (0, 0)
    assert subject.set[2] == (LEAST_SLOW_NS, 0)


def test_about_four_calls_of_a_window_are_in_the_even_sample() -> None:
    subject = Subject()
    subject.window([1 * MS] * 400, [1 * US] * 400, [1 * MS] * 3)
    assert [subject.set[function][1] for function in (1, 2, 3)] == [100, 0, 1]


def test_an_entry_is_in_the_even_sample_however_short_it_is() -> None:
    subject = Subject()
    window = Window(500)
    window.entries["GET x"] = EntryTotals("http")
    window.entries["GET x"].wall.extend([1 * MS] * 400)
    for function, entry, calls in ((1, "GET x", 400), (2, "", 400), (3, "GET x", 4_000)):
        row = window.totals_of(entry).calls.setdefault(function, CallTotals())
        row.wall.extend([1 * US] * calls)
        row.callers[0] += calls
    subject.thresholds.review(window, 1.0, True)
    assert [subject.set[function][1] for function in (1, 2, 3)] == [100, 0, 0]


def test_with_many_functions_there_are_fewer_of_each() -> None:
    subject = Subject(most=100.0)
    subject.window(*[[1 * MS] * 400 for _ in range(100)])
    assert {every for _, every in subject.set.values()} == {400}


def test_before_the_end_of_a_window_only_new_functions_are_set() -> None:
    subject = Subject()
    subject.window([1 * MS] * 100, last=False, elapsed=0.1)
    assert subject.set[1] == (pytest.approx(1 * MS, rel=0.1), 250)
    before = subject.times
    subject.window([90 * MS] * 1_000, last=False, elapsed=0.5)
    assert subject.times == before
    subject.window([90 * MS] * 1_000, last=True)
    assert subject.set[1][0] > 80 * MS


def test_what_changed_little_is_left_as_it_is() -> None:
    subject = Subject()
    subject.window([1 * MS] * 400)
    before = subject.times
    subject.window([1 * MS] * 500)
    assert subject.times == before


def test_the_distribution_follows_what_changed() -> None:
    subject = Subject()
    for _ in range(5):
        subject.window([100 * MS] * 2_000)
    for _ in range(10):
        subject.window([1 * MS] * 2_000)
    assert subject.set[1][0] < 2 * MS


def test_what_is_remembered_is_bounded() -> None:
    subject = Subject()
    for start in range(0, 8_000, 2_000):
        window = Window(500)
        totals = window.totals_of("GET x")
        for function in range(start, start + 2_000):
            totals.calls.setdefault(function, CallTotals()).wall.extend([1 * MS])
        subject.thresholds.review(window, 1.0, True)
    assert sum(trigger != (0, 0) for trigger in subject.set.values()) == 5_000
    assert len(subject.thresholds._known) == 1_000
