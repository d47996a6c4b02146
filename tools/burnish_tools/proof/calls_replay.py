"""Evidence of the second kind: calls of the judged function, captured from the service's own tests, and calls made out
of them. For what no recorded request reaches: tasks, views of other methods, libraries, services without a framework.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from burnish.job import Check, FileEdit
from burnish.why import Why
from burnish_tools.proof import callchecks, calls, changedlines, characterize, testrun
from burnish_tools.proof.callcases import Cases
from burnish_tools.proof.callchecks import CAPTURED, Results
from burnish_tools.proof.callcost import CallCost
from burnish_tools.proof.drawn import drawn
from burnish_tools.proof.evidence import Scene
from burnish_tools.proof.replay import Arm, Refused, refusal

MIN_CALLS = 2
"""One to warm up with and one to measure."""
MIN_SHARE = 0.5
"""Of the calls that has to be repeatable: below it, what is left over is no fair picture of the function."""
MEASURED_CALLS = 24
WARMUP_CALLS = 12
SHAPES = 6
VARIANTS = 4
"""Of each measured call: in four passes it comes with data that the process has not seen."""


class CallsReplay:
    """An `Evidence`."""

    name = "calls"

    def __init__(self, scene: Scene, runner: testrun.TestRunner, instead: str = "") -> None:
        """`instead`: why no requests are replayed, for those who wonder."""
        self._scene = scene
        self._runner = runner
        self._instead = instead
        self._tests: Mapping[str, int] = {}
        self._cases: Cases | None = None
        self._measured: tuple[list[int], list[int]] = ([], [])
        self._factor = 1
        self._cost: CallCost | None = None

    def gather(self, old: Arm) -> None:
        """Captures calls while the tests run, finds out which of them can be replayed, makes more out of those."""
        scene, captured = self._scene, self._capture(old)
        self._tests = captured.tests
        cases = self._cases = Cases.of(scene, captured, old)
        chosen = calls.sample(captured.calls, scene.settings.calls, scene.rng)
        cases.add(chosen, drawn(captured.parameters, scene.settings.generated_calls // 2, scene.rng.getrandbits(32)))
        if cases.by_number:
            cases.write()
            results = cases.replayed(old)
            cases.keep(results)
            self._halve(results)
        if min(map(len, self._measured)) < MIN_CALLS // 2:
            raise self._nothing(cases, len(chosen))
        cases.write()
        self._generate(old, cases)

    def tests(self) -> Mapping[str, int]:
        """Of the capturing run."""
        return self._tests

    def _capture(self, old: Arm) -> calls.Captured:
        scene = self._scene
        folder = scene.harness.file("captured")
        folder.mkdir()
        job = {"function": scene.finding.function, "calls": str(folder)}
        arm = Arm("calls", old.root, scene.databases.empty("tests_calls"))
        outcomes = self._runner.run(arm, testrun.plugin(scene.harness, "capture", job))
        captured = calls.read(folder)
        if not captured.complete:
            summary = "The tests did not come to their end while calls were captured; calls need tests run by pytest."
            raise refusal("calls", Why.NO_CALLS, summary, outcomes.run.tail())
        if captured.error:
            lines = captured.error.strip().splitlines()
            raise refusal("calls", Why.NO_CALLS, f"{scene.finding.function} cannot be watched: {lines[-1]}.", lines)
        return captured

    def _halve(self, results: Results) -> None:
        """Calls that return, the captured ones where there are enough: every second one is kept for the decision."""
        assert self._cases is not None
        known = self._cases.by_number
        returned = [n for n in self._cases.base if "returned" in results["calls", n]]
        captured = [n for n in returned if known[n]["kind"] == CAPTURED]
        usable = captured if len(captured) >= MIN_CALLS else returned
        self._measured = (usable[1::2][:WARMUP_CALLS], usable[::2][:MEASURED_CALLS])

    def _nothing(self, cases: Cases, chosen: int) -> Refused:
        function, tests = self._scene.finding.function, cases.captured.tests
        if not tests:
            summary = f"{self._instead} No test calls {function}, and its annotations do not tell how to call it."
            return refusal("calls", Why.UNTESTED, summary.strip())
        reaching = callchecks.counted(len(tests), "test")
        made = f"Of {reaching} that reach {function}, {callchecks.counted(chosen, 'distinct call')} could be kept"
        reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(cases.left_out.items()))
        summary = f"{self._instead} {made}; too few of them can be replayed: {reasons or 'there are no more'}."
        return refusal("calls", Why.NO_CALLS, summary.strip())

    def _generate(self, old: Arm, cases: Cases) -> None:
        scene, (warmup, measured) = self._scene, self._measured
        told = scene.harness.ask(
            old,
            "generate",
            **cases.question(),
            mutate=cases.base,
            measure=[*measured, *warmup],
            shapes=measured[:SHAPES],
            generated=scene.settings.generated_calls,
            variants=VARIANTS,
            target_ns=scene.finding.removable_ns,
            optional=[(i, p["name"]) for i, p in enumerate(cases.captured.parameters) if "None" in p["type"]],
        )
        self._factor = int(told["factor"])
        cases.read_more()

    def equality(self, old: Arm, new: Arm) -> Iterator[Check]:
        """Old, old again (with another order of sets) and new."""
        cases = self._cases
        assert cases is not None
        before = cases.replayed(old)
        cases.keep(before)
        cases.write()
        with ThreadPoolExecutor(2) as pool:
            again, after = pool.submit(cases.replayed, old, 1), pool.submit(cases.run, new)
        self._repeatable(cases, before, again.result())
        known, lines, results = cases.by_number, after.result().lines, after.result().results
        compared = callchecks.told(known.values(), cases.left_out)
        told = {"calls": compared.captured, "tests": compared.tests, "generated": compared.generated}
        self._scene.told.update(told)
        found = list(callchecks.differences(known, before, results))
        if found:
            stored = self._scene.store(found[0].difference, call=found[0].kind, test=found[0].test)
            yield callchecks.equality_check(found, compared, stored)
        yield callchecks.equality_check([], compared)
        yield changedlines.check(lines)
        if lines["runs"]:
            yield self._characterization(cases, lines["runs"], old, new)
        yield callchecks.queries_check(known, before, results)
        queries = (callchecks.queries_per_call(known, before), callchecks.queries_per_call(known, results))
        self._cost = CallCost(cases, before, *self._measured, self._factor, queries)

    def _repeatable(self, cases: Cases, before: Results, again: Results) -> None:
        """Leaves out what the old code does not repeat itself. Raises Refused where that is too much."""
        asked = len(cases.base)
        for found in list(callchecks.differences(cases.by_number, before, again)):
            cases.leave_out(found.case, "not repeatable without the change")
        left = len(cases.base)
        if left < max(MIN_CALLS, MIN_SHARE * asked):
            summary = f"{asked - left} of {asked} calls do not give the same result twice without the change."
            raise refusal("equality", Why.NOT_REPEATABLE, summary)

    def _characterization(self, cases: Cases, runs: Mapping[str, Any], old: Arm, new: Arm) -> Check:
        """Lines that no test runs get tests that come with the change."""
        lines = {int(n): ran for n, ran in runs.items() if int(n) in cases.by_number}
        function = self._scene.finding.function
        told = self._scene.harness.ask(old, "literals", **cases.question(), ids=sorted(lines))
        written = {int(n): call for n, call in told["calls"].items()}
        numbers = characterize.chosen({int(n): ran for n, ran in runs.items()}, written)
        if numbers is None or "." in function.partition(":")[2] or told["kind"] == "async generator":
            summary = "Lines that change run in generated calls alone, and those cannot be written down as a test."
            return Check(name="characterization", passed=False, summary=summary, why=Why.UNTESTED)
        paths = [node.partition("::")[0] for node in self._tests] or _test_files(old)
        edit = characterize.file_of(function, told["kind"], [written[n] for n in numbers], paths)
        return self._attached(edit, old, new)

    def _attached(self, edit: FileEdit, old: Arm, new: Arm) -> Check:
        """They have to pass on both sides."""
        names = characterize.names(edit)
        for arm in (old, new):
            path = arm.root / edit.path
            if path.exists():
                summary = f"{edit.path} is there already, so that no tests can be written into it."
                return Check(name="characterization", passed=False, summary=summary, why=Why.UNTESTED)
            path.write_text(edit.after, "utf-8")
            variables = testrun.plugin(self._scene.harness, f"characterization-{arm.name}", {"tests": names})
            tests = Arm(f"written-{arm.name}", arm.root, self._scene.databases.empty(f"tests_written_{arm.name}"))
            outcomes = self._runner.run(tests, variables)
            if len(outcomes.having(testrun.PASSED)) != len(names):
                summary = f"Tests written from generated calls do not pass with the {arm.name} code."
                tail = outcomes.run.tail()
                return Check(name="characterization", passed=False, summary=summary, why=Why.UNTESTED, detail=tail)
        self._scene.told["attached"] = (edit,)
        written = callchecks.counted(len(names), "test")
        summary = f"{written} for lines that no test runs, in {edit.path}, pass with and without the change."
        return Check(name="characterization", passed=True, summary=summary)

    def cost(self, old: Arm, new: Arm) -> Iterator[Check]:
        """After `equality`."""
        assert self._cost is not None
        return self._cost.checks(old, new)


def _test_files(old: Arm) -> list[str]:
    """Where the service has tests, by their names."""
    found = [*old.root.rglob("test_*.py"), *old.root.rglob("*_test.py")]
    return sorted(path.relative_to(old.root).as_posix() for path in found)
