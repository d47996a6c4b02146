"""Hot functions: own time that is a share of everything; every function that ran gets an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.finding import Finding, Passed
from burnish.profile import LeftOut, LineTime
from burnish.testing import windows as w
from burnish.why import Why
from burnish_tools.detectors._lines import proportion
from burnish_tools.detectors.cpu_hot import CpuHot
from tests.tools.detectors.shapes import detect, reasons, store

HOT, VIEW, REST = "shop.services:score", "shop.views:trending", "shop.views:home"


def test_own_time_that_is_much_of_everything_is_found(tmp_path: Path) -> None:
    """
    home()      ██████████ 10 ms × 50
    trending()  ████████████████████████ 24 ms × 10
      score()    ██████████████████████  22 ms, all its own
    """
    findings, passed = detect(
        "cpu_hot",
        tmp_path,
        calls=[
            w.calls(REST, 50, wall_ms=10, own_ms=0.1),
            w.calls(VIEW, 10, wall_ms=24, own_ms=2),
            w.calls(HOT, 10, wall_ms=22, own_ms=22, caller=VIEW),
        ],
    )
    (found,) = findings
    assert found.function == HOT
    assert found.evidence.own_share == 1
    assert found.removable_ns == pytest.approx(0.3 * 22e6, rel=0.01)
    assert found.calls_per_minute.value == 10
    assert reasons(passed) == {REST: Why.TIME_IS_ELSEWHERE, VIEW: Why.TIME_IS_ELSEWHERE}


def line(number: int, samples: int, file: str = "/srv/app/shop/services.py") -> LineTime:
    return LineTime(function="score", file=file, line=number, share=samples / 1000, samples=samples)


@pytest.mark.parametrize(
    "lines, note",
    [
        (
            [line(12, 61), line(13, 39), line(90, 500), line(12, 400, "/srv/app/other/services.py")],
            "61% (51% to 70%) of its 100 samples in profiles are in line 12.",
        ),
        ([line(12, 29)], None),
        ([line(12, 400, "/srv/app/workshop/services.py")], None),
        ([], None),
    ],
    ids=["with its interval", "too few samples", "another file", "no profile"],
)
def test_the_line_by_samples_of_a_profiler(tmp_path: Path, lines: list[LineTime], note: str | None) -> None:
    runtime, profile = store(tmp_path, calls=[w.calls(VIEW, 10, wall_ms=24, own_ms=22)])
    function = profile.functions[0].model_copy(update={"file": "shop/services.py", "line": 10, "end_line": 20})
    profile = profile.model_copy(update={"functions": (function,), "lines": tuple(lines)})
    (found,) = CpuHot(CpuHot.Settings()).detect(profile, runtime, None)
    assert isinstance(found, Finding)
    assert found.evidence.notes[1:] == ((note,) if note else ())


@pytest.mark.parametrize("some, of, low, high", [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0)])
def test_wilsons_interval(some: int, of: int, low: float, high: float) -> None:
    """Values of Brown, Cai & DasGupta (2001), and R's prop.test without correction."""
    seen = proportion(some, of)
    assert (seen.low, seen.high) == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001))


def test_time_in_its_own_queries_is_not_its_own(tmp_path: Path) -> None:
    content = {
        "calls": [w.calls(VIEW, 40, wall_ms=10, own_ms=10)],
        "queries": [w.query("SELECT ?", at=f"{VIEW}:3", times=40, ms=9)],
    }
    findings, passed = detect("cpu_hot", tmp_path, **content)
    assert findings == []
    assert reasons(passed) == {VIEW: Why.TIME_IS_ELSEWHERE}
    assert "own time 0.00 ms a call" in passed[0].detail  # the last millisecond is what it spends around the query


def test_the_orm_around_many_small_queries_is_not_the_functions_own(tmp_path: Path) -> None:
    """
    home()      20 queries of 0.1 ms in 22 ms: each costs 1 ms around it
    trending()   1 query and a loop: 25 ms        ◀── hot
    detail()     2 queries in 2.5 ms
    """
    detail = "shop.views:detail"
    content = {
        "calls": [
            w.calls(REST, 50, wall_ms=22, own_ms=22),
            w.calls(VIEW, 10, wall_ms=25, own_ms=25),
            w.calls(detail, 99, wall_ms=2.5, own_ms=2.5),
        ],
        "queries": [
            w.query("SELECT 1", at=f"{REST}:3", times=1000, ms=0.1),
            w.query("SELECT 2", at=f"{VIEW}:3", times=10, ms=0.1),
            w.query("SELECT 3", at=f"{detail}:3", times=198, ms=0.1),
        ],
    }
    findings, passed = detect("cpu_hot", tmp_path, **content)
    assert [f.function for f in findings] == [VIEW]
    assert reasons(passed)[REST] is Why.TIME_IS_ELSEWHERE


def test_queries_of_other_functions_do_not_matter(tmp_path: Path) -> None:
    content = {
        "calls": [w.calls(VIEW, 40, wall_ms=10, own_ms=10)],
        "queries": [w.query("SELECT ?", at=f"{HOT}:3", times=40, ms=9)],
    }
    findings, _ = detect("cpu_hot", tmp_path, **content)
    assert [f.function for f in findings] == [VIEW]


@pytest.mark.parametrize(
    "row, why",
    [
        (w.calls(HOT, 10, wall_ms=0.1, caller=VIEW), Why.NOT_WORTH_IT),
        (w.calls(HOT, 1, wall_ms=80, caller=VIEW), Why.RARE),
        (w.calls(HOT, 100, wall_ms=40, own_ms=0.5, caller=VIEW), Why.TIME_IS_ELSEWHERE),
        (w.calls(HOT, 2, wall_ms=4000, caller=VIEW), Why.NOT_ENOUGH_CALLS),
    ],
    ids=["cheap", "slow but rare", "waits for others", "two calls a minute for ten minutes"],
)
def test_what_is_passed_over(tmp_path: Path, row: w.Json, why: Why) -> None:
    findings, passed = detect("cpu_hot", tmp_path, calls=[row, w.calls(VIEW, 1000, wall_ms=40, own_ms=19)])
    assert findings == []
    assert reasons(passed)[HOT] is why


def test_every_function_that_ran_gets_an_answer(tmp_path: Path) -> None:
    names = {f"shop.a:f{i}": i + 1 for i in range(20)}
    findings, passed = detect("cpu_hot", tmp_path, calls=names)
    assert {f.function for f in findings} | set(reasons(passed)) == set(names)


def test_a_span_is_left_alone_as_its_own_time_may_be_waiting(tmp_path: Path) -> None:
    span = "<otel>:GET feeds/"
    findings, passed = detect("cpu_hot", tmp_path, calls=[w.calls(span, 40, wall_ms=50), w.calls(HOT, 40, wall_ms=50)])
    assert [found.function for found in findings] == [HOT]
    assert reasons(passed) == {span: Why.WAITING_UNKNOWN}


# In an asynchronous service a hundred requests wait at once: 2 s for each of them in the entry, 5 ms of it running.
WAITING = w.calls(VIEW, 3000, wall_ms=2000, own_ms=5)


@pytest.mark.parametrize(
    "row",
    [
        w.calls(HOT, 30, wall_ms=30, own_ms=17, caller=VIEW),
        w.calls(HOT, 3000, wall_ms=0.2, own_ms=0.2, caller=VIEW),
        w.calls(HOT, 5, wall_ms=400, own_ms=300, caller=VIEW),
    ],
    ids=["an export, now and then", "small and in every request", "rare and long"],
)
def test_waiting_of_others_does_not_hide_what_runs(tmp_path: Path, row: w.Json) -> None:
    """Each is at most 0.03 % of the entries' wall time, and 3 to 9 % of what runs."""
    findings, passed = detect("cpu_hot", tmp_path, calls=[WAITING, row])
    assert [found.function for found in findings] == [HOT]
    assert reasons(passed) == {VIEW: Why.TIME_IS_ELSEWHERE}


@pytest.mark.parametrize(
    "row, why",
    [
        (w.calls(HOT, 30, wall_ms=500, own_ms=17, caller=VIEW), Why.TIME_IS_ELSEWHERE),
        (w.calls(HOT, 30, wall_ms=2, own_ms=2, caller=VIEW), Why.NOT_WORTH_IT),
        (w.calls(HOT, 1, wall_ms=60, own_ms=60, caller=VIEW), Why.RARE),
    ],
    ids=["it waits itself", "little of what runs", "once a minute"],
)
def test_what_is_passed_over_where_much_is_waited_for(tmp_path: Path, row: w.Json, why: Why) -> None:
    findings, passed = detect("cpu_hot", tmp_path, calls=[WAITING, row])
    assert findings == []
    assert reasons(passed)[HOT] is why


def test_all_that_runs_may_be_too_little_for_anyone_to_care(tmp_path: Path) -> None:
    """1.9 ms in a minute, which is all that runs: a share of 100 %."""
    findings, passed = detect("cpu_hot", tmp_path, calls=[w.calls(HOT, 19, wall_ms=0.1)])
    assert findings == []
    assert reasons(passed) == {HOT: Why.NOT_WORTH_IT}


def test_a_span_takes_no_share_of_what_runs(tmp_path: Path) -> None:
    rows = [w.calls("<otel>:GET feeds/", 4000, wall_ms=5000), w.calls(VIEW, 40, wall_ms=50)]
    findings, _ = detect("cpu_hot", tmp_path, calls=rows)
    assert [found.function for found in findings] == [VIEW]


def test_the_share_counts_the_functions_that_a_large_profile_left_out(tmp_path: Path) -> None:
    runtime, profile = store(tmp_path, calls=[w.calls(VIEW, 10, wall_ms=50, own_ms=49)])
    left_out = LeftOut(functions=10**5, own_share=0.996, statements=0, statement_share=0.0)
    (passed,) = CpuHot(CpuHot.Settings()).detect(profile.model_copy(update={"left_out": left_out}), runtime, None)
    assert isinstance(passed, Passed)
    assert "0.4% of the functions' time" in passed.detail


LEDGER = {
    "middleware:RequestId.__call__": ("coroutine", 1597, 0.01, 3899),
    "middleware:RequestId.send_with_id": ("coroutine", 3229, 1.0, 3354),
    "services.accounts:AccountService.overview": ("coroutine", 133, 0.01, 540),
    "repositories.entries:EntryRepository.between": ("coroutine", 71, 0.21, 399),
    "services.exports:csv_chunks": ("generator", 42, 0.42, 738),
    "services.transactions:leg_out": ("function", 11220, 1.0, 218),
    "services.exports:decimal": ("function", 18210, 1.0, 52),
    "services.access:key_hash": ("function", 1559, 1.0, 45),
    "<rest>": ("coroutine", 9999, 0.01, 3000),
}
"""Kind, calls in four minutes, own ÷ wall, own ms a minute without queries: the ledger under load (two runs of it for
the export, which one run calls 21 times), whose entries took 197 s of wall time in each minute."""


def test_the_ledger_under_load(tmp_path: Path) -> None:
    """The planted export and a middleware that runs in each request; neither is 2 % of the entries' wall time."""
    rows = [
        w.calls(f"ledger.{name}", calls, wall_ms=ms * 4 / calls / part, own_ms=ms * 4 / calls)
        for name, (_, calls, part, ms) in LEDGER.items()
    ]
    entries = [w.entry(w.ENTRY, 1600, wall_ms=197_000 * 4 / 1600)]
    runtime, profile = store(tmp_path, minutes=1, calls=rows, seconds=240, entries=entries)
    kinds = {f"ledger.{name}": kind for name, (kind, *_) in LEDGER.items()}
    functions = tuple(f.model_copy(update={"kind": kinds[f.function]}) for f in profile.functions)
    profile = profile.model_copy(update={"functions": functions})
    seen = CpuHot(CpuHot.Settings()).detect(profile, runtime, None)
    found = {one.function for one in seen if isinstance(one, Finding)}
    assert found == {"ledger.services.exports:csv_chunks", "ledger.middleware:RequestId.send_with_id"}


@pytest.mark.parametrize(
    "kind, own_ms, found",
    [("generator", 15, True), ("async_generator", 15, True), ("generator", 10, False), ("coroutine", 15, False)],
)
def test_what_its_consumer_does_is_not_held_against_a_generator(
    tmp_path: Path, kind: str, own_ms: float, found: bool
) -> None:
    runtime, profile = store(tmp_path, calls=[w.calls(HOT, 40, wall_ms=50, own_ms=own_ms)])
    function = profile.functions[0].model_copy(update={"kind": kind})
    profile = profile.model_copy(update={"functions": (function,)})
    (seen,) = CpuHot(CpuHot.Settings()).detect(profile, runtime, None)
    assert isinstance(seen, Finding) is found
