"""Error-prone functions: who raises, and whether it gets out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from burnish.why import Why
from tests.tools.detectors.recorded import a_profile, entry, function, run, told
from tests.tools.detectors.shapes import reasons

VIEW, PARSE, CACHED, GET = "shop.views:orders", "shop.forms:parse", "shop.cache:cached", "GET orders/"


def test_the_innermost_function_that_raises_is_named() -> None:
    """
    GET orders/ fails 60 times: parse() raises, orders() passes it on, cached() raises for itself and is caught
    """
    functions = [
        function(VIEW, 2000, 30, entries={GET: 2000}, errors={"KeyError": 60}),
        function(PARSE, 2000, 2, entries={GET: 2000}, callers={VIEW: 2000}, errors={"KeyError": 60}),
        function(CACHED, 2000, 1, entries={GET: 2000}, callers={VIEW: 2000}, errors={"LookupError": 900}),
    ]
    profile = a_profile(functions, entries=[entry(GET, 2000, errors={"KeyError": 60})])
    (found,), passed = run("error_prone", profile, told(profile))
    assert found.function == PARSE
    assert found.informs
    share = found.evidence.failure_share
    assert share is not None
    assert share.value == 0.03
    assert 0.02 < share.low < 0.03
    assert 0 < found.removable_ns <= 0.03 * 2e6
    assert "KeyError in 60 of 2000 calls" in found.evidence.notes[0]
    assert reasons(passed) == {VIEW: Why.DUPLICATE, CACHED: Why.NOT_WORTH_IT}


def test_types_are_told_one_by_one() -> None:
    errors = {"ValueError": 50, "TypeError": 30}
    profile = a_profile(
        [function(VIEW, 1000, errors=errors, entries={GET: 1000})], entries=[entry(GET, 1000, errors=errors)]
    )
    (found,), _ = run("error_prone", profile, told(profile))
    assert found.evidence.conditions == ("raises TypeError", "raises ValueError")
    assert found.evidence.failure_share is not None
    assert found.evidence.failure_share.value == 0.08


def test_a_function_of_many_entries_counts_where_it_gets_out() -> None:
    used = {GET: 500, "job:nightly": 500}
    entries = [entry(GET, 500, errors={"ZeroDivisionError": 30}), entry("job:nightly", 500)]
    profile = a_profile([function(PARSE, 1000, entries=used, errors={"ZeroDivisionError": 40})], entries=entries)
    (found,), _ = run("error_prone", profile, told(profile))
    assert "at least 30 times" in found.evidence.notes[0]


@pytest.mark.parametrize(
    "calls, errors, failing, why",
    [
        (2000, {"KeyError": 900}, {}, Why.NOT_WORTH_IT),
        (2000, {"StopIteration": 2000}, {"OSError": 3}, Why.NOT_WORTH_IT),
        (2000, {"Http404": 900}, {"Http404": 900}, Why.NOT_WORTH_IT),
        (9000, {"KeyError": 40}, {"KeyError": 40}, Why.WITHIN_NOISE),
        (50, {"KeyError": 20}, {"KeyError": 20}, Why.NOT_ENOUGH_CALLS),
    ],
    ids=["caught", "control flow", "an answer", "four in a thousand", "a few calls"],
)
def test_what_is_passed_over(calls: int, errors: Mapping[str, int], failing: Mapping[str, int], why: Why) -> None:
    profile = a_profile(
        [function(VIEW, calls, errors=errors, entries={GET: calls})], entries=[entry(GET, calls, errors=failing)]
    )
    findings, passed = run("error_prone", profile, told(profile))
    assert findings == []
    assert reasons(passed) == {VIEW: why}


def test_a_function_that_never_raises_gets_no_answer() -> None:
    profile = a_profile([function(VIEW, 1000)], entries=[entry("GET /", 1000, errors={"KeyError": 500})])
    assert run("error_prone", profile, told(profile)) == ([], [])
