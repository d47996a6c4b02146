"""Evidence of the first kind: GET requests from the service's own access log, replayed on copies of a snapshot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from burnish.finding import EntryShare, Finding
from burnish.job import Check
from burnish.why import Why
from burnish_tools.proof import cost, costchecks, equality, requests
from burnish_tools.proof.evidence import Scene
from burnish_tools.proof.replay import Arm, Timed, refusal


def wanted(finding: Finding) -> list[EntryShare]:
    """The entries that can be replayed."""
    return [e for e in finding.entries if e.entry.startswith("GET ")]


class RequestsReplay:
    """An `Evidence`."""

    name = "requests"

    def __init__(self, scene: Scene, access_log: Path) -> None:
        self._scene = scene
        self._log = access_log
        self._sample = requests.Sample((), ())
        self._queries = (0.0, 0.0)

    def gather(self, old: Arm) -> None:
        """The recorded requests that belong to the finding's entries."""
        scene, entries = self._scene, wanted(self._scene.finding)
        log = requests.recorded(self._log, scene.settings.access_log_bytes)
        known = scene.harness.ask(old, "routes", paths=sorted({r.path for r in log}))["entries"]
        self._sample = requests.sample(log, known, entries, scene.settings.requests, scene.rng)
        if not self._sample.held_out:
            names = ", ".join(e.entry for e in entries)
            raise refusal("requests", Why.NO_REQUESTS, f"None of {len(log)} recorded requests belongs to {names}.")
        scene.told["requests"] = len(self._sample.all)

    def tests(self) -> Mapping[str, int]:
        """Not asked for: the requests reach the function."""
        return {}

    def equality(self, old: Arm, new: Arm) -> Iterator[Check]:
        """Both sides at once; what differs is asked of the old side once more."""
        scene, all_of_them = self._scene, self._sample.all
        told = [{"target": r.target, "entry": r.entry} for r in all_of_them]
        clock = {"instant": max(r.unix for r in all_of_them), "step": True}
        headers = scene.settings.headers
        job: dict[str, Any] = {"function": scene.finding.function, "requests": told, "clock": clock, "headers": headers}
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(lambda arm: scene.harness.ask(arm, "equality", **job), (old, new))
        self._reached(before)
        found, apart = list(equality.differences(before, after)), frozenset[str]()
        if found:
            again = scene.harness.ask(old, "equality", **job)
            apart = equality.unsteady(before, again)
            found = list(equality.differences(before, after, apart))
        if found:
            control = list(equality.differences(before, again, apart))
            stored = scene.store(found[0].difference, request=told[found[0].request]["target"])
            yield equality.equality_check(found, before, stored, control)
        yield equality.equality_check([], before, apart=apart)
        yield equality.queries_check(before, after)
        self._queries = (equality.queries_per_call(before), equality.queries_per_call(after))

    def _reached(self, before: dict[str, Any]) -> None:
        """The replay has to be of the real thing: requests that succeed, and that reach the function."""
        replayed = before["requests"]
        failed = [str(r["status"]) for r in replayed if r["status"] >= 400]
        if len(failed) > len(replayed) / 2:
            statuses = ", ".join(sorted(set(failed)))
            summary = (
                f"{len(failed)} of {len(replayed)} recorded requests fail on the snapshot ({statuses}): "
                "it does not hold what was asked for, or the requests need [proof] headers."
            )
            detail = sorted({f"{r['status']}: {r['raised']}" for r in replayed if r["raised"]})
            raise refusal("replay", Why.REPLAY_FAILED, summary, detail[:5])
        if not any(r["count"] for r in replayed):
            summary = f"None of {len(replayed)} replayed requests calls {self._scene.finding.function}."
            raise refusal("equality", Why.NOT_REACHED, summary)

    def cost(self, old: Arm, new: Arm) -> Iterator[Check]:
        """Measures, judges, and fills in the effects."""
        scene, sample = self._scene, self._sample
        arms, settings, function = {cost.OLD: old, cost.NEW: new}, scene.settings, scene.finding.function
        told = [*sample.choosing, *sample.held_out]
        held_out = tuple(range(len(sample.choosing), len(told)))
        warmup = tuple(range(len(sample.choosing))) or held_out
        plan = cost.Plan(warmup, held_out, {i: r.entry for i, r in enumerate(told)})
        clock = {"instant": max(r.unix for r in told), "step": False}
        question = {"function": function, "requests": [r.target for r in told], "clock": clock}
        question["headers"] = settings.headers

        def start(arm: str) -> contextlib.AbstractContextManager[Timed]:
            return scene.harness.process(arms[arm], "cost", **question)

        try:
            bench = cost.bench(start, plan, settings, scene.rng, lambda share: scene.progress("cost", share))
        except cost.CasesVanished:
            raise refusal("cost", Why.RESULT_DIFFERS, "Calls of the function are missing with the change.") from None
        scene.told["effects"] = costchecks.effects(bench, function, self._queries, scene.rng)
        yield costchecks.cost_check(bench, f"{len(held_out)} held-out requests")
        yield costchecks.memory_check(bench, settings)
        yield costchecks.cold_check(bench, settings, scene.rng)
