"""The proof of an edit, check by check, up to the first that says no. Read `_Proof.run` first."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from burnish.job import Change, Check, Job, Proof
from burnish.protocols import Workspace
from burnish.settings import ServiceSettings
from burnish.why import Why
from burnish_tools.proof import explain, testrun
from burnish_tools.proof.calls_replay import CallsReplay
from burnish_tools.proof.evidence import Evidence, Scene
from burnish_tools.proof.replay import Arm, Harness, Refused, Service, refusal
from burnish_tools.proof.requests_replay import RequestsReplay, wanted
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
    """A `Prover`: of what recorded requests reach by those (Django, ASGI, WSGI), of anything else by calls.

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
            change = job.change.without_tests(job.proof.attached if job.proof else ())
            proof = _Proof(self, bench, job, change, random.Random(f"{self.seed}:{job.id}"))
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
        with self._stage("baseline"):
            baseline = self.bench.baseline(self.job.base)
            self._add(testrun.baseline_check(baseline, self.bench.service.sandbox.isolation))
        old = self._arm("old")
        evidence = self._evidence(old)
        with self._stage("tests"):
            self._tests(baseline, evidence)
        new = self._arm("new", self.change)
        if self.change.migration:
            with self._stage("migration"):
                self._migration(old, new)
        with self._stage("equality"):
            self._add_each(evidence.equality(old, new))
        with self._stage("cost"):
            self._add_each(evidence.cost(old, new))

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

    def _add_each(self, checks: Iterator[Check]) -> None:
        """One after the other: the next is only asked for when this one has passed."""
        for check in checks:
            self._add(check)

    def _rules(self) -> None:
        source = self.prover.workspace.source(self.job.base)
        limit = self.prover.settings.max_changed_lines
        self._add(rules_check(self.change, source, limit, self.prover.service.settings_module))

    def _evidence(self, old: Arm) -> Evidence:
        """Recorded requests where there are some for the finding's entries, else calls from the service's own tests."""
        instead = self._without_requests(old)
        if not instead:
            try:
                return self._gathered(RequestsReplay(self.scene, Path(self.prover.service.access_log)), old)
            except Refused as refused:
                if refused.check.why is not Why.NO_REQUESTS:
                    raise
                self.checks.remove(refused.check)
                instead = refused.check.summary
        return self._gathered(CallsReplay(self.scene, self.bench.tests, instead), old)

    def _without_requests(self, old: Arm) -> str:
        """Why there is nothing to look for in the access log; empty where there is."""
        if self.bench.service.known(old).framework == "none":
            return "It is not known how the service would be sent requests ([service] framework, app)."
        if not wanted(self.job.finding):
            return "The function is not reached through a GET request."
        if not self.prover.service.access_log:
            return "No access log is configured ([service] access_log)."
        return "" if self.prover.settings.database else "No snapshot is configured ([proof] database)."

    def _gathered(self, evidence: Evidence, old: Arm) -> Evidence:
        with self._stage(evidence.name):
            evidence.gather(old)
        return evidence

    @cached_property
    def scene(self) -> Scene:
        """What both kinds of evidence work with."""
        bench, prover = self.bench, self.prover
        return Scene(
            job=self.job.id,
            finding=self.job.finding,
            change=self.change,
            service=bench.service,
            settings=prover.settings,
            databases=bench.databases,
            harness=self.harness,
            state=bench.state,
            rng=self.rng,
            progress=prover.progress,
            told=self.found,
        )

    @cached_property
    def harness(self) -> Harness:
        """Made when it is first needed: before it, no code of the repository has run."""
        return Harness(self.bench.service, self.prover.seed)

    def _tests(self, baseline: testrun.Baseline, evidence: Evidence) -> None:
        """Those that reach the function first: what they find is known soonest."""
        tree = self.bench.tree("new", self.job.base, self.change)
        first = evidence.tests()
        if first:
            job = {"tests": sorted(first)}
            arm = Arm("first", tree, self.bench.databases.empty("tests_first"))
            outcomes = self.bench.tests.run(arm, testrun.plugin(self.harness, "first", job))
            self._add(testrun.first_check(baseline, first, outcomes))
        arm = Arm("new", tree, self.bench.databases.empty("tests_new"))
        self._add(testrun.edited_check(baseline, self.bench.tests.run(arm)))

    def _arm(self, name: str, change: Change | None = None) -> Arm:
        """One side, with its own copy of the snapshot where there is one."""
        databases = self.bench.databases
        database = databases.copy(name) if self.prover.settings.database else databases.empty(name)
        arm = Arm(name, self.bench.tree(name, self.job.base, change), database)
        self.bench.service.compile(arm)
        return arm

    def _migration(self, old: Arm, new: Arm) -> None:
        if not self.prover.settings.database:
            summary = "No snapshot is configured to migrate; set [proof] database."
            raise refusal("migration", Why.REPLAY_FAILED, summary)
        self._add(explain.migration_check(self.bench.service, old, new))
        if explain.needs_plans(self.change, self.job.finding):
            if self.prover.connect is None:
                raise refusal("plan", Why.NO_DATABASE, "Nothing was given that could read the database's plans.")
            plans = explain.plans(self.prover.connect, self.job.finding, old, new)
            self.found |= {"plan_before": plans.before, "plan_after": plans.after}
            self._add(plans.check)
