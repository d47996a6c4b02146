"""The service's own tests, test by test: green before, and with the edit the same tests still there and green."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from burnish.job import Check
from burnish.why import Why
from burnish_tools.proof.replay import Arm, Harness, Service
from burnish_tools.proof.sandbox import Run

PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"
RERUNS = 2
NAMES_SHOWN = 10
DETAIL_LINES = 3


@dataclass(frozen=True)
class Outcomes:
    """What each test did. Tests are named `module.Class::test[parameters]`."""

    by_test: Mapping[str, str]
    messages: Mapping[str, str]
    """The end of the message of each failing test."""
    run: Run

    def having(self, outcome: str) -> set[str]:
        """The tests with this outcome."""
        return {test for test, was in self.by_test.items() if was == outcome}


@dataclass(frozen=True)
class Baseline:
    """The tests at a commit without any change."""

    passed: tuple[str, ...]
    flaky: tuple[str, ...]
    skipped: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float
    detail: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        """True when there are tests and none fails every time."""
        return bool(self.passed) and not self.failed


@dataclass(frozen=True)
class TestRunner:
    """Runs the configured test command."""

    __test__ = False

    service: Service
    command: tuple[str, ...]

    def run(self, arm: Arm, variables: Mapping[str, str] | None = None) -> Outcomes:
        """One run of all tests, with more variables. Without a report (killed, crashed) there are no tests in it."""
        report = self.service.sandbox.folder / f"junit-{arm.name}.xml"
        report.unlink(missing_ok=True)
        command = self.command
        if not any("{junit}" in part for part in command):
            command = (*command, "--junitxml={junit}")
        filled = [p.replace("{python}", self.service.python).replace("{junit}", str(report)) for p in command]
        own = {**self.service.variables(arm), **(variables or {})}
        run = self.service.sandbox.run(filled, arm.root, own)
        by_test, messages = _parsed(report) if not run.timed_out else ({}, {})
        return Outcomes(by_test, messages, run)

    def baseline(self, arm: Arm) -> Baseline:
        """One run; failing tests get two more chances, and one that passes in any of them is flaky, not red."""
        first = self.run(arm)
        failed = first.having(FAILED)
        runs = [first, *(self.run(arm) for _ in range(RERUNS if failed else 0))]
        always = {test for test in failed if all(r.by_test.get(test) == FAILED for r in runs)}
        sometimes = {test for r in runs for test in r.having(FAILED)} - always
        detail = first.run.tail() if not first.by_test else _told(sorted(always), first)
        return Baseline(
            passed=tuple(sorted(first.having(PASSED) - sometimes)),
            flaky=tuple(sorted(sometimes)),
            skipped=tuple(sorted(first.having(SKIPPED))),
            failed=tuple(sorted(always)),
            seconds=first.run.seconds,
            detail=detail,
        )


def baseline_check(baseline: Baseline, shield: str) -> Check:
    """Green, red, or nothing to run."""
    if baseline.green:
        flaky = tuple(f"quarantined, it does not always pass: {test}" for test in baseline.flaky)
        summary = f"{len(baseline.passed)} tests pass without the change in {baseline.seconds:.1f} s, {shield}."
        if flaky:
            summary += f" {len(flaky)} flaky, left out."
        return Check(name="baseline", passed=True, summary=summary, detail=flaky)
    if baseline.failed:
        summary = f"Without any change these tests fail: {_listed(baseline.failed)}."
    else:
        summary = "The test command ran no test to its end; see [proof] test_command."
    return Check(name="baseline", passed=False, summary=summary, why=Why.RED_BASELINE, detail=baseline.detail)


def plugin(harness: Harness, name: str, job: Mapping[str, Any]) -> dict[str, str]:
    """Variables with which pytest loads the harness's plugin (`harness/capture.py`) and gives it this job."""
    path = harness.file(f"{name}.json")
    path.write_text(json.dumps(job), "utf-8")
    return {**harness.variables, "PYTEST_PLUGINS": "burnish_harness.capture", "BURNISH_CAPTURE": str(path)}


def reported_name(node: str) -> str:
    """A node id of pytest as it stands in a JUnit report: `tests/test_a.py::T::test[x]` → `tests.test_a.T::test[x]`."""
    address, bracket, parameters = node.partition("[")
    path, *names = address.split("::")
    parts = [path.removesuffix(".py").replace("/", "."), *names]
    return ".".join(parts[:-1]) + "::" + parts[-1] + bracket + parameters


def first_check(baseline: Baseline, nodes: Collection[str], outcomes: Outcomes) -> Check:
    """The tests that reach the function, before all the others."""
    names = {reported_name(node) for node in nodes}
    few = replace(baseline, passed=tuple(test for test in baseline.passed if test in names))
    check = edited_check(few, outcomes)
    if not check.passed:
        return check.model_copy(update={"detail": (*check.detail, "among the tests that reach the function")})
    summary = f"Tests that reach the function: {len(few.passed)}; all of them pass with the change."
    return check.model_copy(update={"name": "reaching tests", "summary": summary})


def edited_check(baseline: Baseline, outcomes: Outcomes) -> Check:
    """Every test that passed before passes now; one that is gone or skipped is a failure of its own kind."""
    if outcomes.run.timed_out:
        summary = f"With the change the tests did not end within {outcomes.run.seconds:.0f} s."
        return _no(Why.TESTS_FAIL, summary, outcomes.run.tail())
    if not outcomes.by_test:
        return _no(Why.TESTS_FAIL, "With the change the test command ran no test.", outcomes.run.tail())
    expected = set(baseline.passed)
    failed = sorted(outcomes.having(FAILED) - set(baseline.flaky))
    if failed:
        return _no(Why.TESTS_FAIL, f"With the change these tests fail: {_listed(failed)}.", _told(failed, outcomes))
    gone = sorted(expected - outcomes.by_test.keys())
    skipped = sorted(expected & outcomes.having(SKIPPED))
    if gone or skipped:
        detail = [f"did not run: {t}" for t in gone] + [f"was skipped: {t}" for t in skipped]
        summary = f"With the change these tests no longer run: {_listed(sorted(gone + skipped))}."
        return _no(Why.TEST_VANISHED, summary, detail[:NAMES_SHOWN])
    summary = f"The same {len(expected)} tests pass with the change in {outcomes.run.seconds:.1f} s."
    return Check(name="tests", passed=True, summary=summary)


def _no(why: Why, summary: str, detail: Iterable[str]) -> Check:
    return Check(name="tests", passed=False, summary=summary, why=why, detail=tuple(detail))


def _listed(tests: Iterable[str]) -> str:
    names = list(tests)
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _told(tests: Iterable[str], outcomes: Outcomes) -> tuple[str, ...]:
    return tuple(f"{test}: {outcomes.messages.get(test, '')}" for test in list(tests)[:NAMES_SHOWN])


def _parsed(report: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Outcomes and messages of a JUnit report. A test that occurs twice (a teardown error) keeps the worst."""
    try:
        cases = list(ET.parse(report).iter("testcase"))
    except (OSError, ET.ParseError):
        return {}, {}
    by_test: dict[str, str] = {}
    messages: dict[str, str] = {}
    for case in cases:
        test = f"{case.get('classname', '')}::{case.get('name', '')}".removeprefix("::")
        problem = next((child for child in case if child.tag in ("failure", "error")), None)
        if problem is not None:
            by_test[test] = FAILED
            messages[test] = _end_of(problem.text or problem.get("message") or "")
        elif case.find("skipped") is not None:
            by_test.setdefault(test, SKIPPED)
        else:
            by_test.setdefault(test, PASSED)
    return by_test, messages


def _end_of(text: str) -> str:
    """The assertion's own lines (pytest marks them with E), else the last ones."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    return " | ".join((marked or lines)[-DETAIL_LINES:])[:400]


@dataclass(frozen=True)
class BaselineCache:
    """Green baselines by commit, as JSON files. A red one is not kept: its cause may be outside the commit."""

    folder: Path

    def get(self, commit: str, command: tuple[str, ...]) -> Baseline | None:
        """What is known, or None."""
        try:
            stored = json.loads(self._path(commit, command).read_text("utf-8"))
            passed, flaky, skipped = (tuple(stored[name]) for name in ("passed", "flaky", "skipped"))
            return Baseline(passed, flaky, skipped, failed=(), seconds=float(stored["seconds"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, commit: str, command: tuple[str, ...], baseline: Baseline) -> None:
        """Written beside and moved into place, so that a reader never sees half of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(commit, command)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(baseline)), "utf-8")
        beside.replace(path)

    def _path(self, commit: str, command: tuple[str, ...]) -> Path:
        key = hashlib.sha256("\0".join((commit, *command)).encode()).hexdigest()[:24]
        return self.folder / f"{key}.json"
