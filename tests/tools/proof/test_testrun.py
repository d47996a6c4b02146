from __future__ import annotations

from pathlib import Path

import pytest

from burnish.settings import ServiceSettings
from burnish.why import Why
from burnish_tools.proof.replay import Arm, Service
from burnish_tools.proof.sandbox import Run, Sandbox
from burnish_tools.proof.settings import ProofSettings
from burnish_tools.proof.testrun import Baseline, BaselineCache, Outcomes, TestRunner, baseline_check, edited_check

COMMAND = (*ProofSettings().test_command, "-p", "no:django")

SUITE = """
import pathlib
import pytest

def test_good():
    assert True

@pytest.mark.parametrize("n", [1, 2])
def test_each(n):
    assert n

@pytest.mark.skip
def test_later():
    assert False

class TestGroup:
    def test_inside(self):
        assert True
"""
FLAKY = """
def test_sometimes():
    count = pathlib.Path("count")
    tries = len(count.read_text()) if count.exists() else 0
    count.write_text("x" * (tries + 1))
    assert tries > 0, "not yet"
"""
RED = """
def test_never():
    assert 1 == 2, "never"
"""


def runner(folder: Path, suite: str, timeout: float = 30) -> tuple[TestRunner, Arm]:
    tree = folder / "tree"
    tree.mkdir()
    (tree / "test_suite.py").write_text(suite)
    sandbox = Sandbox(folder, timeout, 2048, network=False)
    service = Service(ServiceSettings(name="s", repository="."), sandbox)
    return TestRunner(service, COMMAND), Arm("old", tree, "sqlite:///none")


GREEN = {"test_suite::test_good", "test_suite::test_each[1]", "test_suite::test_each[2]"}
GREEN |= {"test_suite.TestGroup::test_inside"}


def test_a_flaky_test_is_quarantined_by_name(tmp_path: Path) -> None:
    tests, arm = runner(tmp_path, SUITE + FLAKY)
    found = tests.baseline(arm)
    assert set(found.passed) == GREEN
    assert found.flaky == ("test_suite::test_sometimes",)
    assert found.skipped == ("test_suite::test_later",)
    check = baseline_check(found, "isolated")
    assert check.passed
    assert check.detail == ("quarantined, it does not always pass: test_suite::test_sometimes",)


def test_a_test_that_always_fails_is_red(tmp_path: Path) -> None:
    tests, arm = runner(tmp_path, SUITE + RED)
    check = baseline_check(tests.baseline(arm), "isolated")
    assert (check.passed, check.why) == (False, Why.RED_BASELINE)
    assert "test_suite::test_never" in check.summary
    assert "assert 1 == 2" in check.detail[0]


@pytest.mark.parametrize("suite", ["def broken(:\n", "x = 1\n"])
def test_a_suite_that_does_not_run_is_red(tmp_path: Path, suite: str) -> None:
    tests, arm = runner(tmp_path, suite)
    assert baseline_check(tests.baseline(arm), "isolated").why is Why.RED_BASELINE


def test_tests_that_never_end_fail(tmp_path: Path) -> None:
    tests, arm = runner(tmp_path, "def test_forever():\n    while True: pass\n", timeout=2)
    check = edited_check(BASE, tests.run(arm))
    assert (check.passed, check.why) == (False, Why.TESTS_FAIL)
    assert "did not end" in check.summary


BASE = Baseline(passed=("t::a", "t::b"), flaky=("t::f",), skipped=("t::s",), failed=(), seconds=1.0)


def outcomes(**by_test: str) -> Outcomes:
    named = {f"t::{name}": outcome for name, outcome in by_test.items()}
    return Outcomes(named, {"t::a": "assert 1 == 2"}, Run(0, 1.0, ""))


@pytest.mark.parametrize(
    "seen",
    [
        {"a": "passed", "b": "passed"},
        {"a": "passed", "b": "passed", "f": "failed", "s": "skipped"},
        {"a": "passed", "b": "passed", "new": "passed"},
    ],
)
def test_the_same_tests_green_is_a_yes(seen: dict[str, str]) -> None:
    assert edited_check(BASE, outcomes(**seen)).passed


@pytest.mark.parametrize(
    "seen, why, told",
    [
        ({"a": "failed", "b": "passed"}, Why.TESTS_FAIL, "t::a"),
        ({"a": "passed", "b": "passed", "new": "failed"}, Why.TESTS_FAIL, "t::new"),
        ({"a": "passed"}, Why.TEST_VANISHED, "t::b"),
        ({"a": "passed", "b": "skipped"}, Why.TEST_VANISHED, "t::b"),
        ({}, Why.TESTS_FAIL, "ran no test"),
    ],
)
def test_a_missing_skipped_or_failing_test_is_a_no(seen: dict[str, str], why: Why, told: str) -> None:
    check = edited_check(BASE, outcomes(**seen))
    assert (check.passed, check.why) == (False, why)
    assert told in check.summary


def test_a_green_baseline_is_kept_for_its_commit_and_command(tmp_path: Path) -> None:
    cache = BaselineCache(tmp_path / "baseline")
    cache.put("c1", COMMAND, BASE)
    assert cache.get("c1", COMMAND) == BASE
    assert cache.get("c2", COMMAND) is None
    assert cache.get("c1", ("other",)) is None


def test_a_damaged_cache_is_no_cache(tmp_path: Path) -> None:
    cache = BaselineCache(tmp_path)
    cache.put("c1", COMMAND, BASE)
    (kept,) = tmp_path.iterdir()
    kept.write_text('{"passed": ')
    assert cache.get("c1", COMMAND) is None
