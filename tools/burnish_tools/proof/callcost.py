"""The cost of calls: which ones are sent together, at which size, and what the rounds of `cost.py` say of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.job import Check
from burnish.why import Why
from burnish_tools.proof import callchecks, cost, costchecks
from burnish_tools.proof.callcases import Cases
from burnish_tools.proof.callchecks import Results
from burnish_tools.proof.replay import Arm, Timed, refusal

GROUP_NS = 1_000_000
"""Calls are sent in groups that take about a millisecond, so that the conversation about them costs little."""
GROUP_CALLS = 32
SHAPE_ROUNDS = 8
SCALES = ("shape ×1", "shape ×2", "shape ×4")
Group = list[list[int]]
"""Slots; a slot is the variants of one call, of which each time another one is taken."""


@dataclass(frozen=True)
class CallCost:
    """What is measured: the numbers of base cases to warm up with and to decide on, and their enlargement."""

    cases: Cases
    results: Results
    """Of the old code: how long each case takes."""
    warmup: Sequence[int]
    measured: Sequence[int]
    factor: int
    queries: tuple[float, float]
    """Per call, (old, new)."""

    def checks(self, old: Arm, new: Arm) -> Iterator[Check]:
        """On calls that were not used for anything else, at the size of production, with fresh data each time."""
        scene = self.cases.scene
        groups = self._groups(self.measured)
        warmup = self._groups(self.warmup) or groups
        start = self._starter(old, new, [*warmup, *groups])
        try:
            bench = cost.bench(
                start, _plan(warmup, groups), scene.settings, scene.rng, lambda share: scene.progress("cost", share)
            )
            scene.told["effects"] = costchecks.effects(bench, scene.finding.function, self.queries, scene.rng)
            yield costchecks.cost_check(bench, self._inputs(groups))
            yield costchecks.memory_check(bench, scene.settings)
            yield costchecks.cold_check(bench, scene.settings, scene.rng, "calls, with the import,")
            yield from self._shape(old, new)
        except cost.CasesVanished:
            raise refusal("cost", Why.RESULT_DIFFERS, "Calls are missing with the change.") from None

    def _inputs(self, groups: Sequence[Group]) -> str:
        text = callchecks.counted(sum(map(len, groups)), "held-out call")
        if self.factor > 1:
            text += f", their arguments enlarged ×{self.factor} to cost what a fix saves in production"
        return text

    def _groups(self, bases: Sequence[int]) -> list[Group]:
        """Each call as measured, at the size of production; as it was captured where it could not be changed."""
        groups: list[Group] = []
        spent = GROUP_NS
        known = self.cases.by_number
        for base in bases:
            slot = [n for n, c in known.items() if c["kind"] == "measured" and c["of"] == base]
            slot = slot or [n for n in (base,) if n in known]
            if not slot:
                continue
            if spent >= GROUP_NS or len(groups[-1]) >= GROUP_CALLS:
                groups.append([])
                spent = 0
            groups[-1].append(slot)
            spent += int(self.results["calls", slot[0]].get("ns", 0))
        return groups

    def _shape(self, old: Arm, new: Arm) -> Iterator[Check]:
        """At one, two and four times the size, where all three can be made of a call."""
        shapes: dict[int, dict[str, int]] = {}
        for number, case in self.cases.by_number.items():
            if case["kind"] in SCALES:
                shapes.setdefault(case["of"], {})[case["kind"]] = number
        whole = [shape for shape in shapes.values() if len(shape) == len(SCALES)]
        if not whole:
            return
        groups = [[[shape[scale]] for shape in whole] for scale in SCALES]
        numbers = tuple(range(len(SCALES)))
        plan = cost.Plan(numbers, numbers, dict(enumerate(SCALES)))
        rng = self.cases.scene.rng
        found = cost.rounds(self._starter(old, new, groups), plan, SHAPE_ROUNDS, rng)
        yield costchecks.shape_check(found, SCALES, rng)

    def _starter(self, old: Arm, new: Arm, groups: Sequence[Group]) -> cost.Start:
        arms = {cost.OLD: old, cost.NEW: new}
        question: dict[str, Any] = {**self.cases.question(step=False), "groups": groups}

        def start(arm: str) -> contextlib.AbstractContextManager[Timed]:
            return self.cases.scene.harness.process(arms[arm], "callcost", **question)

        return start


def _plan(warmup: Sequence[Group], groups: Sequence[Group]) -> cost.Plan:
    """Groups by number: those to warm up with first."""
    count = len(warmup) + len(groups)
    entries = dict.fromkeys(range(count), cost.CALLS)
    return cost.Plan(tuple(range(len(warmup))), tuple(range(len(warmup), count)), entries)
