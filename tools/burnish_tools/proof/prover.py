"""The proof of an edit, check by check, up to the first that says no. Read `_Proof.run` first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.finding import EntryShare
from burnish.job import Change, Check, Job, Proof
from burnish.protocols import Workspace
from burnish.settings import ServiceSettings
from burnish.why import Why
from burnish_tools.proof import cost, costchecks, equality, explain, requests, testrun
from burnish_tools.proof.replay import Arm, Harness, Refused, Service, Timed, refusal
from burnish_tools.proof.rules import rules_check
from burnish_tools.proof.sandbox import Sandbox, scratch_folder
from burnish_tools.proof.scratch import ScratchDatabases, scratch_databases
from burnish_tools.proof.settings import ProofSettings

Progress = Callable[[str, float], None]
"""Told the name of a check and how much of it is done, 0 to 1."""


def _silent(check: str, share: float) -> None:
    """No progress wanted."""


@dataclass(frozen=True)
class ServiceProver:
    """A `Prover` for services of Django, ASGI and WSGI.

    Runs repository code, in sandboxes under `state_dir`. `connect` opens a scratch copy for reading plans (needed for
    changes with a migration); `reproduce` is the command that does a proof again, with `{job}` for the job's id.
    """

    service: ServiceSettings
    settings: ProofSettings
    workspace: Workspace
    state_dir: Path
    seed: int = 0
    progress: Progress = _silent
    connect: explain.Connect | None = None
    reproduce: str = "burnish prove {job}"

    def baseline(self, commit: str) -> Proof:
        """The service's own tests at a commit; a green result is kept for that commit."""
        with self._bench() as bench:
            check = bench.baseline_check(commit)
        return Proof(checks=(check,))

    def prove(self, job: Job) -> Proof:
        """All checks on `job.change`. Raises Unavailable (database server), ConfigError, RepositoryError."""
        assert job.change is not None
        with self._bench() as bench:
            proof = _Proof(self, bench, job, job.change, random.Random(f"{self.seed}:{job.id}"))
            return proof.result()

    @contextlib.contextmanager
    def _bench(self) -> Iterator[_Bench]:
        """Scratch folder, databases and sandbox of one proof."""
        state = self.state_dir.absolute()
        url = self.settings.database
        with scratch_folder(state / "scratch") as folder, scratch_databases(url, folder) as databases:
            sandbox = Sandbox(
                folder,
                self.settings.timeout_seconds,
                self.settings.memory_limit_mb,
                self.settings.environment,
                network=databases.network,
            )
            yield _Bench(self, folder, databases, Service(self.service, sandbox), state)


@dataclass(frozen=True)
class _Bench:
    """What one proof works with."""

    prover: ServiceProver
    folder: Path
    databases: ScratchDatabases
    service: Service
    state: Path

    @property
    def tests(self) -> testrun.TestRunner:
        return testrun.TestRunner(self.service, self.prover.settings.test_command)

    def tree(self, name: str, commit: str, change: Change | None = None) -> Path:
        """The application root of an exported tree."""
        target = self.folder / name
        if not target.exists():
            self.prover.workspace.export(commit, target, change)
        return target / self.prover.service.root

    def baseline(self, commit: str) -> testrun.Baseline:
        """From the cache, or by running the tests."""
        cache = testrun.BaselineCache(self.state / "baseline")
        command = self.prover.settings.test_command
        known = cache.get(commit, command)
        if known is None:
            arm = Arm("old", self.tree("old", commit), self.databases.empty("tests_old"))
            known = self.tests.baseline(arm)
            if known.green:
                cache.put(commit, command, known)
        return known

    def baseline_check(self, commit: str) -> Check:
        """The check alone."""
        return testrun.baseline_check(self.baseline(commit), self.service.sandbox.isolation)


@dataclass
class _Proof:
    """One run through the checks; collects what has been found so far."""

    prover: ServiceProver
    bench: _Bench
    job: Job
    change: Change
    rng: random.Random
    checks: list[Check] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    def result(self) -> Proof:
        """The proof, complete or ended by the first no."""
        with contextlib.suppress(Refused):
            self.run()
        reproduce = self.prover.reproduce.format(job=self.job.id)
        return Proof(checks=tuple(self.checks), reproduce=reproduce, **self.found)

    def run(self) -> None:
        """The checks in order, the cheap ones first."""
        with self._stage("rules"):
            self._rules()
            self._replayable()
        with self._stage("baseline"):
            baseline = self.bench.baseline(self.job.base)
            self._add(testrun.baseline_check(baseline, self.bench.service.sandbox.isolation))
        with self._stage("tests"):
            self._tests(baseline)
        old, new = self._arms()
        if self.change.migration:
            with self._stage("migration"):
                self._migration(old, new)
        harness = Harness(self.bench.service, self.prover.seed)
        with self._stage("requests"):
            sample = self._sample(harness, old)
        with self._stage("equality"):
            queries = self._equality(harness, old, new, sample)
        with self._stage("cost"):
            self._cost(harness, old, new, sample, queries)

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Tells the progress; a refusal from inside becomes the check that ends the proof."""
        self.prover.progress(name, 0.0)
        try:
            yield
        except Refused as refused:
            if refused.check not in self.checks:
                self.checks.append(refused.check)
            raise
        self.prover.progress(name, 1.0)

    def _add(self, *checks: Check) -> None:
        """Appends; the first failed check ends the proof."""
        for check in checks:
            self.checks.append(check)
            if not check.passed:
                raise Refused(check)

    def _rules(self) -> None:
        source = self.prover.workspace.source(self.job.base)
        limit = self.prover.settings.max_changed_lines
        self._add(rules_check(self.change, source, limit, self.prover.service.settings_module))

    def _wanted(self) -> list[EntryShare]:
        return [e for e in self.job.finding.entries if e.entry.startswith("GET ")]

    def _replayable(self) -> None:
        """What can be known beforehand: without requests and a snapshot there is no use in running the tests."""
        if not self._wanted():
            raise refusal("requests", Why.NO_REQUESTS, "The function is not reached through a GET request.")
        if not self.prover.service.access_log:
            raise refusal("requests", Why.NO_REQUESTS, "No access log is configured; set [service] access_log.")
        if not self.prover.settings.database:
            summary = "No snapshot is configured to replay requests on; set [proof] database."
            raise refusal("replay", Why.REPLAY_FAILED, summary)

    def _tests(self, baseline: testrun.Baseline) -> None:
        tree = self.bench.tree("new", self.job.base, self.change)
        arm = Arm("new", tree, self.bench.databases.empty("tests_new"))
        self._add(testrun.edited_check(baseline, self.bench.tests.run(arm)))

    def _arms(self) -> tuple[Arm, Arm]:
        """Both sides, each with its own copy of the snapshot."""
        old = Arm("old", self.bench.tree("old", self.job.base), self.bench.databases.copy("old"))
        new = Arm("new", self.bench.tree("new", self.job.base, self.change), self.bench.databases.copy("new"))
        for arm in (old, new):
            self.bench.service.compile(arm)
        return old, new

    def _migration(self, old: Arm, new: Arm) -> None:
        self._add(explain.migration_check(self.bench.service, old, new))
        if explain.needs_plans(self.change, self.job.finding):
            if self.prover.connect is None:
                raise refusal("plan", Why.NO_DATABASE, "Nothing was given that could read the database's plans.")
            plans = explain.plans(self.prover.connect, self.job.finding, old, new)
            self.found |= {"plan_before": plans.before, "plan_after": plans.after}
            self._add(plans.check)

    def _sample(self, harness: Harness, old: Arm) -> requests.Sample:
        """The recorded requests that belong to the finding's entries."""
        settings, wanted = self.prover.settings, self._wanted()
        log = requests.recorded(Path(self.prover.service.access_log), settings.access_log_bytes)
        entries = harness.ask(old, "routes", paths=sorted({r.path for r in log}))["entries"]
        sample = requests.sample(log, entries, wanted, settings.requests, self.rng)
        if not sample.held_out:
            names = ", ".join(e.entry for e in wanted)
            raise refusal("requests", Why.NO_REQUESTS, f"None of {len(log)} recorded requests belongs to {names}.")
        self.found["requests"] = len(sample.all)
        return sample

    def _equality(self, harness: Harness, old: Arm, new: Arm, sample: requests.Sample) -> tuple[float, float]:
        """Both sides at once; returns the queries per call of the judged function, (old, new)."""
        told = [{"target": r.target, "entry": r.entry} for r in sample.all]
        clock = {"instant": max(r.unix for r in sample.all), "step": True}
        headers = self.prover.settings.headers
        job = {"function": self.job.finding.function, "requests": told, "clock": clock, "headers": headers}
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(lambda arm: harness.ask(arm, "equality", **job), (old, new))
        self._reached(before)
        found, apart = list(equality.differences(before, after)), frozenset[str]()
        if found:
            again = harness.ask(old, "equality", **job)
            apart = equality.unsteady(before, again)
            found = list(equality.differences(before, after, apart))
        if found:
            control = list(equality.differences(before, again, apart))
            self._add(equality.equality_check(found, before, self._store(found[0], told), control))
        self._add(equality.equality_check([], before, apart=apart), equality.queries_check(before, after))
        return equality.queries_per_call(before), equality.queries_per_call(after)

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
            summary = f"None of {len(replayed)} replayed requests calls {self.job.finding.function}."
            raise refusal("equality", Why.NOT_REACHED, summary)

    def _store(self, found: equality.Found, told: list[dict[str, str]]) -> str:
        """Values of the difference, for a person with access to the state directory; returns the file's name."""
        name = f"differences/{hashlib.sha256(self.job.id.encode()).hexdigest()[:12]}.json"
        path = self.bench.state / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = found.difference
        values = {"request": told[found.request]["target"], "place": seen.place, "old": seen.old, "new": seen.new}
        path.touch(mode=0o600)
        path.write_text(json.dumps(values, indent=1), "utf-8")
        return name

    def _cost(
        self, harness: Harness, old: Arm, new: Arm, sample: requests.Sample, queries: tuple[float, float]
    ) -> None:
        """Measures, judges, and fills in the effects."""
        arms, settings = {cost.OLD: old, cost.NEW: new}, self.prover.settings
        function = self.job.finding.function
        told = [*sample.choosing, *sample.held_out]
        held_out = tuple(range(len(sample.choosing), len(told)))
        warmup = tuple(range(len(sample.choosing))) or held_out
        plan = cost.Plan(warmup, held_out, {i: r.entry for i, r in enumerate(told)})
        clock = {"instant": max(r.unix for r in told), "step": False}
        question = {"function": function, "requests": [r.target for r in told], "clock": clock}
        question["headers"] = settings.headers

        def start(arm: str) -> contextlib.AbstractContextManager[Timed]:
            return harness.process(arms[arm], **question)

        try:
            bench = cost.bench(start, plan, settings, self.rng, lambda share: self.prover.progress("cost", share))
        except cost.CasesVanished:
            raise refusal("cost", Why.RESULT_DIFFERS, "Calls of the function are missing with the change.") from None
        self.found["effects"] = costchecks.effects(bench, function, queries, self.rng)
        self._add(costchecks.cost_check(bench, len(held_out)))
        self._add(costchecks.memory_check(bench, settings), costchecks.cold_check(bench, settings, self.rng))
