from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from burnish_sensor.exemplars.pauses import Pauses
from tests.sensor.support import FakeClock


class Subject:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pauses = Pauses(self.clock)

    def pause(self, ns: int) -> None:
        (hear,) = [callback for callback in gc.callbacks if getattr(callback, "__self__", None) is self.pauses]
        hear("start", {})
        self.clock.advance(ns)
        hear("stop", {})

    def listens(self) -> bool:
        return any(getattr(callback, "__self__", None) is self.pauses for callback in gc.callbacks)


@pytest.fixture
def subject() -> Iterator[Subject]:
    enabled = gc.isenabled()
    gc.disable()
    subject = Subject()
    subject.pauses.start()
    yield subject
    subject.pauses.stop()
    if enabled:
        gc.enable()


def test_what_overlaps_with_a_call_is_counted(subject: Subject) -> None:
    start = subject.clock()
    subject.clock.advance(100_000)
    subject.pause(50_000)
    subject.clock.advance(10_000)
    end = subject.clock()
    assert subject.pauses.within(start, end) == 50_000
    assert subject.pauses.within(start + 130_000, end) == 20_000
    assert subject.pauses.within(start, start + 110_000) == 10_000
    assert subject.pauses.within(end, end + 5) == 0


def test_short_ones_do_not_push_long_ones_out(subject: Subject) -> None:
    start = subject.clock()
    subject.pause(1_000_000)
    for _ in range(1_000):
        subject.pause(1_000)
    assert subject.pauses.within(start, subject.clock()) == 1_000_000


def test_a_call_from_before_it_listened_is_not_judged(subject: Subject) -> None:
    assert subject.pauses.within(subject.clock() - 1, subject.clock()) is None
    subject.pauses.stop()
    assert subject.pauses.within(subject.clock(), subject.clock()) is None


def test_it_is_taken_out_while_collections_are_frequent(subject: Subject) -> None:
    for _ in range(600):
        gc.collect(0)
    subject.clock.advance(1_000_000_000)
    subject.pauses.review()
    assert not subject.listens()
    subject.clock.advance(1_000_000_000)
    subject.pauses.review()
    assert subject.listens()


def test_once_stopped_it_stays_so(subject: Subject) -> None:
    subject.pauses.stop()
    subject.clock.advance(1_000_000_000)
    subject.pauses.review()
    assert not subject.listens()


def test_a_real_collection_is_heard() -> None:
    import time

    pauses = Pauses(time.perf_counter_ns)
    pauses.start()
    try:
        start = time.perf_counter_ns()
        keep: list[list[object]] = [[] for _ in range(200_000)]
        for one in keep:
            one.append(one)
        gc.collect()
        assert (pauses.within(start, time.perf_counter_ns()) or 0) > 0
    finally:
        pauses.stop()
        del keep
