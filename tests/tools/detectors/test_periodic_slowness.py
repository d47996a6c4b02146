"""Periodic slowness: hours of the week, deployments, young processes; and months of noise with nothing in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median

import pytest

from burnish.conditions import Exemplar, Looked, Sample
from burnish.finding import Finding, Passed
from burnish.profile import Point, Series, Stretch
from burnish.testing import MemoryRuntime
from burnish.why import Why
from burnish_tools.detectors._week import HOUR_NS, by_chance, slow_slots, with_usual
from tests.tools.detectors.recorded import a_profile, entry, function, run, told

VIEW, LOAD, GET = "shop.views:orders", "shop.cache:load", "GET orders/"
WEEK = 168
FIRST = 20_000 * 24 - 72  # a Monday, 00:00 UTC, less three days' hours
MONDAY = (FIRST + 72) // WEEK * WEEK - 72 + WEEK
"""The number of an hour that begins a week."""


def stretch(name: str, number: int, ms: float, calls: int = 10_000, own_ms: float = 0.0) -> Stretch:
    return Stretch(
        function=name,
        entry=GET,
        release="a",
        start_unix_ns=number * HOUR_NS,
        calls=calls,
        wall_ns=ms * calls * 1e6,
        own_ns=own_ms * calls * 1e6,
        queries=0,
        errors=0,
    )


def hourly(slow: Callable[[int], bool], weeks: int = 5) -> tuple[list[Finding], list[Passed]]:
    """Hours of 40 ms a call, 200 ms where `slow` says so, with noise; the time is `load`'s own."""
    rng, hours = random.Random(4), list[Stretch]()
    for i in range(weeks * WEEK):
        ms = 40 * rng.lognormvariate(0, 0.1) + (160 if slow(i) else 0)
        hours += [
            stretch("", MONDAY + i, ms),
            stretch(VIEW, MONDAY + i, ms, own_ms=1),
            stretch(LOAD, MONDAY + i, ms - 1, own_ms=ms - 1),
        ]
    functions = [
        function(VIEW, 10_000, 45, own_ms=1, entries={GET: 10_000}),
        function(LOAD, 10_000, 44, entries={GET: 10_000}, callers={VIEW: 10_000}),
    ]
    start = (MONDAY + weeks * WEEK - 100) * HOUR_NS
    profile = a_profile(functions, entries=[entry(GET, 10_000)], start=start, seconds=100 * 3600, windows=100)
    return run("periodic_slowness", profile, told(profile, history={"hour": hours}))


@pytest.mark.parametrize(
    "slow, condition, times",
    [
        (lambda i: i % WEEK == 30, "every Tuesday at 06:00 UTC", 5),
        (lambda i: i % 24 == 3, "every day at 03:00 UTC", 35),
        (lambda i: i % WEEK // 24 == 5, "every Saturday (UTC)", 5),
    ],
    ids=["one hour a week", "one hour a day", "one day a week"],
)
def test_slow_hours_are_named_with_the_function_whose_time_it_is(
    slow: Callable[[int], bool], condition: str, times: int
) -> None:
    (found,), passed = hourly(slow)
    assert passed == []
    assert (found.function, found.evidence.conditions, found.evidence.support) == (LOAD, (condition,), times)
    assert found.informs
    assert found.evidence.before is not None
    assert found.evidence.after is not None
    assert found.evidence.before.high < 60e6 < 150e6 < found.evidence.after.low
    hours = times if "(" not in condition else times * 24
    true = hours * 10_000 * 160e-3 / 5  # seconds in a week
    assert 0.7 * true < found.seconds_per_week < 1.05 * true


@pytest.mark.parametrize(
    "slow",
    [lambda i: False, lambda i: i in (30, 30 + WEEK), lambda i: 50 <= i < 90],
    ids=["noise", "two Tuesdays", "one long incident"],
)
def test_what_does_not_recur_is_left_alone(slow: Callable[[int], bool]) -> None:
    assert hourly(slow) == ([], [])


def test_three_weeks_are_the_least() -> None:
    assert hourly(lambda i: i % WEEK == 30, weeks=2) == ([], [])


def test_noise_with_heavy_tails_has_no_slots() -> None:
    """4 weeks of hours of which some are twice as slow for no reason, 120 times"""
    found = 0
    for seed in range(120):
        rng = random.Random(seed)
        times = {MONDAY + i: (100, 100 * 40e6 * rng.lognormvariate(0, 0.4)) for i in range(4 * WEEK)}
        found += bool(slow_slots(with_usual(times, 20), times=1.5, recurrences=3, chance=0.01))
    assert found <= 3


def test_the_probability_is_the_binomials() -> None:
    assert by_chance(3, 3, 0.1) == pytest.approx(0.001)
    assert by_chance(0, 5, 0.1) == pytest.approx(1)


def releases(warm: Callable[[int], float], rng: random.Random) -> tuple[list[Finding], list[Passed]]:
    """Five releases of an hour and a half; minute by minute, 10 calls of 40 ms × `warm(minute)`."""
    profiles, series = [], []
    for n in range(5):
        start = n * 3 * HOUR_NS // 2
        points = [
            Point.model_construct(
                start_unix_ns=start + i * 60 * 10**9,
                seconds=60,
                instance="one",
                entry=GET,
                calls=10,
                wall_ns=10 * 40e6 * warm(i) * rng.lognormvariate(0, 0.15),
                queries=0,
            )
            for i in range(90)
        ]
        stats = function(VIEW, 900, 40, entries={GET: 900})
        profiles.append(a_profile([stats], release=f"r{n}", start=start, seconds=5400, windows=90))
        for name in ("", VIEW):
            series.append(Series(function=name, release=f"r{n}", points=tuple(points)))
    return run("periodic_slowness", profiles[-1], MemoryRuntime(profiles, series))


def test_the_start_of_each_release_is_told() -> None:
    (found,), _ = releases(lambda i: 6 if i < 10 else 1, random.Random(1))
    assert found.function == VIEW
    assert found.evidence.conditions == ("in the first 10 minutes of a release",)
    true = 4 * 100 * 5 * 40e-3 / (6 / 168)  # seconds in a week: four starts in six hours
    assert 0.6 * true < found.seconds_per_week < 1.1 * true


@pytest.mark.parametrize("warm", [lambda i: 1, lambda i: 6 if i % 10 < 3 else 1], ids=["noise", "always up and down"])
def test_releases_that_begin_as_they_go_on_are_left_alone(warm: Callable[[int], float]) -> None:
    assert releases(warm, random.Random(2)) == ([], [])


def test_releases_of_noise_are_not_reported() -> None:
    assert sum(bool(releases(lambda i: 1, random.Random(seed))[0]) for seed in range(100)) == 0


def young(first: Callable[[random.Random], bool]) -> tuple[list[Finding], list[Passed]]:
    """40 windows in which a new process begins; a slow call is the first one where `first` says so."""
    rng, samples = random.Random(7), []
    for i in range(40):
        rows = [
            Exemplar(
                function=LOAD,
                sample="slow" if slow else "uniform",
                slow=slow,
                wall_ns=900_000_000 if slow else 2_000_000,
                own_ns=800_000_000 if slow else 2_000_000,
                facts={"first": first(rng) if slow else False, "age_s": 4 if slow else 2 ** rng.randint(3, 12)},
            )
            for slow in (True, False, False, False, False)
        ]
        looked = Looked(function=LOAD, calls=200, slow_ns=100_000_000, slow_calls=1)
        samples.append(Sample(looked, tuple(rows), i * 60 * 10**9))
    profile = a_profile([function(LOAD, 8000, [2.0] * 199 + [900.0])], windows=40, seconds=2400)
    return run("periodic_slowness", profile, told(profile, samples={(LOAD, "a"): samples}))


def test_the_first_call_of_a_process_is_told() -> None:
    (found,), _ = young(lambda rng: True)
    assert (found.function, found.evidence.conditions) == (LOAD, ("first = true",))
    assert found.removable_ns == pytest.approx(898e6 / 200, rel=0.1)
    assert found.evidence.notes[0].startswith("The first call in a process takes 900 ms")


def test_slow_calls_that_are_seldom_the_first_are_left_to_others() -> None:
    assert young(lambda rng: False) == ([], [])


def test_rare_spikes_leave_young_processes_to_it() -> None:
    """One answer for one cause"""
    rng = random.Random(1)
    rows = [
        Exemplar(function=LOAD, sample="slow", slow=True, wall_ns=900_000_000, facts={"first": True}),
        *[Exemplar(function=LOAD, sample="uniform", slow=False, wall_ns=2_000_000, facts={"first": False})] * 4,
    ]
    looked = Looked(function=LOAD, calls=200, slow_ns=100_000_000, slow_calls=1)
    samples = [Sample(looked, tuple(rows), i * 60 * 10**9) for i in range(40 + rng.randint(0, 1))]
    profile = a_profile([function(LOAD, 8000, [2.0] * 199 + [900.0])], windows=40, seconds=2400)
    findings, passed = run("rare_spike", profile, told(profile, samples={(LOAD, "a"): samples}))
    assert findings == []
    assert [p.why for p in passed] == [Why.DUPLICATE]


@pytest.mark.parametrize("n", [60, 61])
def test_the_usual_time_is_the_median_of_the_hours_around(n: int) -> None:
    rng = random.Random(n)
    times = {i: (50, 50 * rng.lognormvariate(0, 1)) for i in range(n)}
    for hour in with_usual(times, 20):
        assert hour.usual_ns == pytest.approx(median(times[i][1] / 50 for i in range(n) if i != hour.number))
