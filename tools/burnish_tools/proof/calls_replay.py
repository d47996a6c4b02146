"""Evidence of the second kind: calls of the judged function, captured from the service's own tests, and calls made out
of them. For what no recorded request reaches: tasks, views of other methods, libraries, services without a framework.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from burnish.job import Check
from burnish.why import Why
from burnish_tools.proof import callchecks, calls, changedlines, cost, costchecks, testrun
from burnish_tools.proof.callchecks import CAPTURED, Results
from burnish_tools.proof.cost import Start
from burnish_tools.proof.evidence import Scene
from burnish_tools.proof.hosts import Started
from burnish_tools.proof.replay import Arm, Refused, Timed, refusal

MIN_CALLS = 2
"""One to warm up with and one to measure."""
MIN_SHARE = 0.5
"""Of the captured calls that has to be repeatable: below it, what is left over is no fair picture of the function."""
MEASURED_CALLS = 24
WARMUP_CALLS = 12
SHAPES = 6
VARIANTS = 4
GROUP_NS = 1_000_000
"""Calls are sent in groups that take about a millisecond, so that the conversation about them costs little."""
GROUP_CALLS = 32
SHAPE_ROUNDS = 8
RESTARTS = 3
SCALES = ("shape ×1", "shape ×2", "shape ×4")

Case = dict[str, Any]


class CallsReplay:
    """An `Evidence`."""

    name = "calls"

    def __init__(self, scene: Scene, runner: testrun.TestRunner, instead: str = "") -> None:
        """`instead`: why no requests are replayed, for those who wonder."""
        self._scene = scene
        self._instead = instead
        self._runner = runner
        self._captured: calls.Captured | None = None
        self._service: dict[str, str] = {}
        self._file = scene.harness.file("cases.jsonl")
        self._cases: dict[int, Case] = {}
        self._results: Results = {}
        self._left_out: Counter[str] = Counter()
        self._warmup: list[int] = []
        self._measured: list[int] = []
        self._factor = 1
        self._queries = (0.0, 0.0)

    # ── what is replayed ─────────────────────────────────────────────────────────────────────────────────────────

    def gather(self, old: Arm) -> None:
        """Captures calls while the tests run, finds out which of them can be replayed, makes more out of those."""
        known = self._scene.service.known(old)
        self._service = (known if known.framework == "django" else Started("none")).told()
        captured = self._captured = self._capture(old)
        self._left_out.update(captured.left_out)
        chosen = calls.sample(captured.calls, self._scene.settings.calls, self._scene.rng)
        for number, call in enumerate(chosen):
            self._cases[number] = {
                "id": number,
                "kind": CAPTURED,
                "test": call.test,
                "raised": call.raised,
                "pickle": call.pickle,
            }
        self._write()
        self._keep(self._replayed(old))
        if len(self._cases) < MIN_CALLS:
            raise self._nothing(captured, len(chosen))
        self._generate(old, captured)

    def tests(self) -> Mapping[str, int]:
        """Of the capturing run."""
        return self._captured.tests if self._captured else {}

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

    def _nothing(self, captured: calls.Captured, chosen: int) -> Refused:
        function = self._scene.finding.function
        if not captured.tests:
            return refusal("calls", Why.UNTESTED, f"{self._instead} No test calls {function}.".strip())
        tests = callchecks.counted(len(captured.tests), "test")
        made = f"Of {tests} that reach {function}, {callchecks.counted(chosen, 'distinct call')} could be kept"
        reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(self._left_out.items()))
        summary = f"{self._instead} {made}; too few of them can be replayed: {reasons or 'there are no more'}."
        return refusal("calls", Why.NO_CALLS, summary.strip())

    def _generate(self, old: Arm, captured: calls.Captured) -> None:
        self._write()
        scene, usable = self._scene, list(self._cases)
        returned = [n for n in usable if not self._cases[n]["raised"]]
        self._warmup, self._measured = returned[1::2][:WARMUP_CALLS], returned[::2][:MEASURED_CALLS]
        told = scene.harness.ask(
            old,
            "generate",
            **self._job(),
            mutate=usable,
            measure=[*self._measured, *self._warmup],
            shapes=self._largest()[:SHAPES],
            generated=scene.settings.generated_calls,
            variants=VARIANTS,
            target_ns=scene.finding.removable_ns,
            optional=[(i, p["name"]) for i, p in enumerate(captured.parameters) if "None" in p["type"]],
        )
        self._factor = told["factor"]
        known = set(self._cases)
        self._cases |= {n: case for n, case in self._read().items() if n > max(known)}
        self._write()

    def _largest(self) -> list[int]:
        return sorted(self._measured, key=lambda n: -int(self._results["calls", n].get("ns", 0)))

    def _job(self) -> dict[str, Any]:
        captured = self._captured
        assert captured is not None
        changed = [name.partition(":")[0] for name in self._scene.change.functions]
        function = self._scene.finding.function
        return {
            "service": self._service,
            "function": function,
            "paths": list(captured.paths),
            "modules": sorted({function.partition(":")[0], *changed}),
            "cases": str(self._file),
            "call_seconds": self._scene.settings.call_seconds,
            "clock": {"instant": captured.instant, "step": True},
        }

    # ── old and new ──────────────────────────────────────────────────────────────────────────────────────────────

    def equality(self, old: Arm, new: Arm) -> Iterator[Check]:
        """Old, old again (with another order of sets) and new."""
        before = self._replayed(old)
        self._keep(before)
        self._write()
        with ThreadPoolExecutor(2) as pool:
            again_run = pool.submit(self._replayed, old, 1)
            after_run = pool.submit(self._once, new, 0)
            again, (after, lines) = again_run.result(), after_run.result()
        self._repeatable(before, again)
        compared = callchecks.told(self._cases.values(), self._left_out)
        told = self._scene.told
        told |= {"calls": compared.captured, "tests": compared.tests, "generated": compared.generated}
        found = list(callchecks.differences(self._cases, before, after))
        if found:
            where = {"call": found[0].kind, "test": found[0].test}
            yield callchecks.equality_check(found, compared, self._scene.store(found[0].difference, **where))
        yield callchecks.equality_check([], compared)
        yield changedlines.check(lines)
        yield callchecks.queries_check(self._cases, before, after)
        self._results = before
        self._queries = tuple(callchecks.queries_per_call(self._cases, side) for side in (before, after))  # type: ignore[assignment]

    def _repeatable(self, before: Results, again: Results) -> None:
        """Leaves out what the old code does not repeat itself. Raises Refused where that is too much."""
        captured = self._count()
        for found in list(callchecks.differences(self._cases, before, again)):
            if self._cases.pop(found.case, None) is not None:
                self._left_out["not repeatable without the change"] += 1
        left = self._count()
        if left < max(MIN_CALLS, MIN_SHARE * captured):
            summary = f"{captured - left} of {captured} captured calls do not give the same result twice."
            raise refusal("equality", Why.NOT_REPEATABLE, summary)

    def _count(self) -> int:
        return sum(case["kind"] == CAPTURED for case in self._cases.values())

    def _keep(self, results: Results) -> None:
        """Only cases that say something about the old code."""
        self._results = results
        for number, case in list(self._cases.items()):
            reason = callchecks.unusable(case, results.get(("calls", number)))
            if reason:
                del self._cases[number]
                self._left_out[reason] += 1

    def _replayed(self, arm: Arm, hash_seed: int = 0) -> Results:
        """The old code may not even come to its end: what ends its process is left out, a few times."""
        without: list[int] = []
        for _ in range(RESTARTS):
            results, _, ended_by = self._run(arm, hash_seed, without)
            if ended_by is None:
                return results
            without.append(ended_by)
        raise refusal("replay", Why.REPLAY_FAILED, f"{RESTARTS} calls ended the process without the change.")

    def _once(self, arm: Arm, hash_seed: int) -> tuple[Results, Mapping[str, Any]]:
        """The new code gets one try: what it does not come back from is a difference."""
        results, lines, _ = self._run(arm, hash_seed, [])
        return results, lines

    def _run(self, arm: Arm, hash_seed: int, without: Sequence[int]) -> tuple[Results, Mapping[str, Any], int | None]:
        """Results, executed lines, and the case that ended the process."""
        path = self._scene.harness.file(f"results-{arm.name}-{hash_seed}.jsonl")
        path.unlink(missing_ok=True)
        lines = changedlines.of(self._scene.change) if arm.name == "new" else {}
        question = {**self._job(), "results": str(path), "without": list(without), "lines": lines}
        try:
            answer = self._scene.harness.ask(arm, "calls", hash_seed, **question)
        except Refused:
            results, begun = _results(path)
            if begun is None:
                raise
            return results, {"asked": 0, "missing": {}}, begun
        return _results(path)[0], answer["lines"], None

    # ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def cost(self, old: Arm, new: Arm) -> Iterator[Check]:
        """On calls that were not used for anything else, at the size of production, with fresh data each time."""
        scene = self._scene
        groups = self._groups(self._measured)
        warmup = self._groups(self._warmup) or groups
        plan = _plan(warmup, groups)
        start = self._starter(old, new, [*warmup, *groups])
        try:
            bench = cost.bench(start, plan, scene.settings, scene.rng, lambda share: scene.progress("cost", share))
            scene.told["effects"] = costchecks.effects(bench, scene.finding.function, self._queries, scene.rng)
            yield costchecks.cost_check(bench, self._inputs())
            yield costchecks.memory_check(bench, scene.settings)
            yield costchecks.cold_check(bench, scene.settings, scene.rng, "calls, with the import,")
            yield from self._shape(old, new)
        except cost.CasesVanished:
            raise refusal("cost", Why.RESULT_DIFFERS, "Calls are missing with the change.") from None

    def _inputs(self) -> str:
        number = len({case["of"] for case in self._cases.values() if case["kind"] == "measured"})
        text = callchecks.counted(min(number, len(self._measured)), "held-out call")
        if self._factor > 1:
            text += f", their arguments enlarged ×{self._factor} to cost what they cost in production"
        return text

    def _groups(self, bases: Sequence[int]) -> list[list[list[int]]]:
        """A group is a list of slots, a slot the variants of one call."""
        groups: list[list[list[int]]] = []
        spent = GROUP_NS
        for base in bases:
            slot = [n for n, c in self._cases.items() if c["kind"] == "measured" and c["of"] == base] or [base]
            if base not in self._cases:
                continue
            if spent >= GROUP_NS or len(groups[-1]) >= GROUP_CALLS:
                groups.append([])
                spent = 0
            groups[-1].append(slot)
            spent += int(self._results["calls", slot[0]].get("ns", 0))
        return groups

    def _shape(self, old: Arm, new: Arm) -> Iterator[Check]:
        """At one, two and four times the size, where all three can be made of a call."""
        shapes: dict[int, dict[str, int]] = {}
        for number, case in self._cases.items():
            if case["kind"] in SCALES:
                shapes.setdefault(case["of"], {})[case["kind"]] = number
        whole = [shape for shape in shapes.values() if len(shape) == len(SCALES)]
        if not whole:
            return
        groups = [[[shape[scale]] for shape in whole] for scale in SCALES]
        numbers = tuple(range(len(SCALES)))
        plan = cost.Plan(numbers, numbers, dict(enumerate(SCALES)))
        found = cost.rounds(self._starter(old, new, groups), plan, SHAPE_ROUNDS, self._scene.rng)
        yield costchecks.shape_check(found, SCALES, self._scene.rng)

    def _starter(self, old: Arm, new: Arm, groups: Sequence[Any]) -> Start:
        arms = {cost.OLD: old, cost.NEW: new}
        question = {**self._job(), "groups": groups}
        question["clock"] = {**question["clock"], "step": False}

        def start(arm: str) -> contextlib.AbstractContextManager[Timed]:
            return self._scene.harness.process(arms[arm], "callcost", **question)

        return start

    def _write(self) -> None:
        self._file.write_text("".join(json.dumps(case) + "\n" for case in self._cases.values()), "utf-8")

    def _read(self) -> dict[int, Case]:
        lines = (json.loads(line) for line in self._file.read_text("utf-8").splitlines())
        return {case["id"]: case for case in lines}


def _plan(warmup: Sequence[Any], groups: Sequence[Any]) -> cost.Plan:
    """Groups by number: those to warm up with first."""
    count = len(warmup) + len(groups)
    return cost.Plan(
        tuple(range(len(warmup))), tuple(range(len(warmup), count)), dict.fromkeys(range(count), cost.CALLS)
    )


def _results(path: Path) -> tuple[Results, int | None]:
    """What a process has written, and the case that it began and did not end."""
    results: dict[tuple[str, int], dict[str, Any]] = {}
    begun: int | None = None
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        told = json.loads(line)
        if "begun" in told:
            begun = told["begun"]
        else:
            results[told["phase"], told["id"]] = told
            begun = None
    return results, begun
