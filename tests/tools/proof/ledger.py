"""The example ledger (FastAPI, SQLAlchemy's asyncio, PostgreSQL) with everything that a prover needs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from burnish.finding import Candidate, EntryShare, Evidence, Finding, Interval
from burnish.job import Change, FileEdit, Job, Proof
from burnish.settings import ServiceSettings
from burnish.testing.workspace import FakeWorkspace
from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings
from evals.services.ledger.serve import MIX, SERVICE, prepare
from evals.services.traffic import load_mix
from tests.tools.proof.service import log_line

SCALE = 0.05
"""10,000 entries: few enough to be altered, enough for pages of 50."""
TESTS = (
    "{python}",
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "tests/test_transactions.py::test_an_unknown_receipt",
)
"""One that no change here breaks: whether equality sees it is the question."""


@dataclass(frozen=True)
class LedgerStage:
    """One snapshot, one log; a proof takes copies."""

    folder: Path
    service: ServiceSettings
    settings: ProofSettings
    workspace: FakeWorkspace

    def prove(self, edits: Mapping[str, Callable[[str], str]], function: str, entry: str) -> Proof:
        """The proof of a change that gives each file another text."""
        source = self.workspace.source(self.workspace.head())
        made = []
        for path, edit in edits.items():
            before = source.read(path)
            assert before is not None
            assert edit(before) != before
            made.append(FileEdit(path=path, before=before, after=edit(before)))
        change = Change(recipe="test", title="t", summary="s", safety="s", edits=tuple(made))
        prover = ServiceProver(self.service, self.settings, self.workspace, self.folder / "state")
        return prover.prove(self._job(change, function, entry))

    def patched(self, name: str) -> dict[str, Callable[[str], str]]:
        """The reference patch with this number, as edits."""
        [patch] = (SERVICE.parent / "reference").glob(f"{name}-*.patch")
        target = self.folder / patch.stem
        self.workspace.export(self.workspace.head(), target)
        outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(target.parent)}
        subprocess.run(["git", "apply", str(patch)], cwd=target, env=outside, check=True, timeout=30)
        changed = [line[6:].strip() for line in patch.read_text().splitlines() if line.startswith("+++ b/")]
        texts = {path: (target / path).read_text() for path in changed}
        return {path: lambda before, text=text: text for path, text in texts.items()}  # type: ignore[misc]

    def _job(self, change: Change, function: str, entry: str) -> Job:
        one = Interval(value=1, low=1, high=1, n=9)
        finding = Finding(
            kind="n_plus_one",
            function=function,
            file=change.edits[0].path,
            line=1,
            body="",
            release="r1",
            entries=(EntryShare(entry=entry, calls_per_minute=10),),
            calls_per_minute=one,
            wall_ns=one,
            removable_ns=1,
            evidence=Evidence(),
        )
        candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
        return Job(id="job-1", candidate=candidate, base=self.workspace.head(), change=change)


def ledger_stage(folder: Path, server: str, database: str) -> LedgerStage:
    """Prepares the snapshot in an empty `database` of `server`, and writes a log as the mix would leave it."""
    url = f"{server.rpartition('/')[0]}/{database}"
    prepare(url, scale=SCALE)
    log = folder / "access.log"
    sent = islice(load_mix(MIX, SCALE).requests(seed=3, user=1), 1500)
    log.write_text("".join(log_line(r.path, method=r.method) for r in sent if r.method == "GET"), "utf-8")
    return LedgerStage(
        folder=folder,
        service=ServiceSettings(name="ledger", repository=".", access_log=str(log)),
        settings=ProofSettings(
            database=url.replace("postgres://", "postgresql+asyncpg://"),
            test_command=TESTS,
            headers={"X-Api-Key": "staff-local"},
            requests=16,
            pairs=8,
            timeout_seconds=120,
        ),
        workspace=FakeWorkspace.of(SERVICE, (".py", ".toml", ".sql", ".txt")),
    )
