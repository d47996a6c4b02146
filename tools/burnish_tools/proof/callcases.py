"""The cases of a proof by calls: the file in which the service's processes get them, and what those answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.why import Why
from burnish_tools.proof import callchecks, changedlines
from burnish_tools.proof.callchecks import CAPTURED, DRAWN, Results
from burnish_tools.proof.calls import Call, Captured
from burnish_tools.proof.evidence import Scene
from burnish_tools.proof.hosts import Started
from burnish_tools.proof.replay import Arm, Refused, refusal

RESTARTS = 3
Case = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """What one process has told: results, and which changed lines have run; `ended_by` is the case that it did not come
    back from."""

    results: Results
    lines: Mapping[str, Any]
    ended_by: int | None = None


@dataclass
class Cases:
    """By number; `left_out` counts by reason what is not compared."""

    scene: Scene
    captured: Captured
    service: Mapping[str, str]
    """How a process is started in which the function is called."""
    by_number: dict[int, Case] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, scene: Scene, captured: Captured, old: Arm) -> Cases:
        """No case yet. An ASGI or WSGI application is not started: its functions are called without it."""
        known = scene.service.known(old)
        told = known if known.framework == "django" else Started("none")
        return cls(scene, captured, told.told(), left_out=Counter(captured.left_out))

    @property
    def file(self) -> Path:
        """Read by the service's processes; `generate` appends to it."""
        return self.scene.harness.file("cases.jsonl")

    @property
    def base(self) -> list[int]:
        """Cases that are made out of no other one."""
        return [number for number, case in self.by_number.items() if case["kind"] in (CAPTURED, DRAWN)]

    def add(self, calls: Iterable[Call], drawn: Iterable[str]) -> None:
        """Captured calls and pickles of drawn ones."""
        for call in calls:
            self._add(kind=CAPTURED, test=call.test, raised=call.raised, pickle=call.pickle)
        for pickle in drawn:
            self._add(kind=DRAWN, test="", raised="", pickle=pickle)

    def _add(self, **case: str) -> None:
        number = max(self.by_number, default=-1) + 1
        self.by_number[number] = {"id": number, **case}

    def write(self) -> None:
        """For the processes that come next."""
        self.file.write_text("".join(json.dumps(case) + "\n" for case in self.by_number.values()), "utf-8")

    def read_more(self) -> None:
        """Those that a process has appended."""
        last = max(self.by_number)
        lines = (json.loads(line) for line in self.file.read_text("utf-8").splitlines())
        self.by_number |= {case["id"]: case for case in lines if case["id"] > last}

    def leave_out(self, number: int, reason: str) -> None:
        """With its reason; nothing where it is out already."""
        if self.by_number.pop(number, None) is not None:
            self.left_out[reason] += 1

    def keep(self, results: Results) -> None:
        """Only those that say something about the old code."""
        for number, case in list(self.by_number.items()):
            reason = callchecks.unusable(case, results.get(("calls", number)))
            if reason:
                self.leave_out(number, reason)

    def question(self, *, step: bool = True) -> dict[str, Any]:
        """What every mode is told."""
        changed = [name.partition(":")[0] for name in self.scene.change.functions]
        function = self.scene.finding.function
        return {
            "service": self.service,
            "function": function,
            "paths": list(self.captured.paths),
            "modules": sorted({function.partition(":")[0], *changed}),
            "cases": str(self.file),
            "call_seconds": self.scene.settings.call_seconds,
            "clock": {"instant": self.captured.instant, "step": step},
        }

    def replayed(self, arm: Arm, hash_seed: int = 0) -> Results:
        """By the old code, which may not even come to its end: what ends its process is left out, a few times."""
        without: list[int] = []
        for _ in range(RESTARTS):
            run = self.run(arm, hash_seed, without)
            if run.ended_by is None:
                return run.results
            without.append(run.ended_by)
        raise refusal("replay", Why.REPLAY_FAILED, f"{RESTARTS} calls ended the process without the change.")

    def run(self, arm: Arm, hash_seed: int = 0, without: Sequence[int] = ()) -> Run:
        """One process. Raises Refused where it did not begin with a single case."""
        path = self.scene.harness.file(f"results-{arm.name}-{hash_seed}.jsonl")
        path.unlink(missing_ok=True)
        lines = changedlines.of(self.scene.change) if arm.name == "new" else {}
        more = {"results": str(path), "without": list(without), "lines": lines}
        try:
            answer = self.scene.harness.ask(arm, "calls", hash_seed, **self.question(), **more)
        except Refused:
            results, begun = _results(path)
            if begun is None:
                raise
            return Run(results, {"asked": 0, "missing": [], "runs": {}}, begun)
        return Run(_results(path)[0], answer["lines"])


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
