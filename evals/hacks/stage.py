"""A fixture service with all that a prover needs: workspace, recorded requests, snapshot, settings."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from burnish.finding import Candidate, EntryShare, Evidence, Finding, Interval
from burnish.job import Job
from burnish.protocols import Source
from burnish.settings import ServiceSettings
from burnish.testing.workspace import FakeWorkspace
from burnish_tools.proof.prover import Progress, ServiceProver
from burnish_tools.proof.settings import ProofSettings
from evals.hacks.patches import Patch

HERE = Path(__file__).parent
TEXTS = (".py", ".toml", ".ini")
PAIRS = 8
"""Rounds for the decision about cost, in place of 20: the set is about wrong and right, not about small gains."""


class StageError(Exception):
    """A fixture could not be prepared."""


@dataclass(frozen=True)
class Stage:
    """One service; `folder` is where its snapshot, log and the provers' state go."""

    name: str
    folder: Path
    told: dict[str, Any]
    pairs: int = PAIRS

    @cached_property
    def workspace(self) -> FakeWorkspace:
        """The service's files as a repository."""
        return FakeWorkspace.of(HERE / "services" / self.name, TEXTS)

    @property
    def source(self) -> Source:
        """Its files."""
        return self.workspace.source(self.workspace.head())

    def prepare(self) -> None:
        """Writes snapshot and access log. Raises StageError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.told.get("snapshot"):
            self._snapshot()
        entries = self.told.get("entries", {}).values()
        self._log.write_text("".join(_log_line(t) for e in entries for t in self._targets(e["target"])), "utf-8")

    @property
    def _log(self) -> Path:
        return self.folder / "access.log"

    @property
    def _database(self) -> str:
        return f"sqlite:///{self.folder / 'snapshot.sqlite3'}" if self.told.get("snapshot") else ""

    def _snapshot(self) -> None:
        tree = self.folder / "tree"
        self.workspace.export(self.workspace.head(), tree)
        (self.folder / "snapshot.sqlite3").unlink(missing_ok=True)
        environment = {**os.environ, "DATABASE_URL": self._database, "PYTHONDONTWRITEBYTECODE": "1"}
        for arguments in self.told["snapshot"]:
            command = [sys.executable, *arguments]
            run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
            if run.returncode:
                raise StageError(f"{self.name}: python {' '.join(arguments)} failed:\n{run.stderr[-1500:]}")

    def _targets(self, target: str) -> list[str]:
        """`{n}` counts from 0, `{m}` from 1, `{skus}` is a shopping list of its own."""
        numbers = range(int(self.told["requests"]))
        return [target.format(n=n, m=n + 1, skus=_shopping_list(n)) for n in numbers]

    def prover(self, progress: Progress) -> ServiceProver:
        """The real one, with few rounds."""
        settings = ProofSettings(
            database=self._database,
            requests=int(self.told.get("requests", 40)),
            pairs=self.pairs,
            timeout_seconds=180,
            test_command=(*ProofSettings().test_command, *self.told.get("test_options", ())),
            environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        log = str(self._log) if self.told.get("entries") else ""
        service = ServiceSettings(name=self.name, repository=".", access_log=log)
        return ServiceProver(service, settings, self.workspace, self.folder / "state", progress=progress)

    def job(self, patch: Patch) -> Job:
        """A job as the cycle would have made it for the patch."""
        entry = self.told.get("entries", {}).get(patch.function, {}).get("entry")
        one = Interval(value=1, low=1, high=1, n=9)
        finding = Finding(
            kind="cpu_hot",
            function=patch.function,
            file=patch.function.partition(":")[0].replace(".", "/") + ".py",
            line=1,
            body="",
            release="r1",
            entries=(EntryShare(entry=entry, calls_per_minute=10),) if entry else (),
            calls_per_minute=one,
            wall_ns=one,
            removable_ns=self.told.get("removable_ns", 1),
            evidence=Evidence(),
        )
        candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
        change = patch.change(self.source)
        return Job(id=patch.id.replace("/", "-"), candidate=candidate, base=self.workspace.head(), change=change)


def stages(folder: Path, pairs: int = PAIRS) -> dict[str, Stage]:
    """All services of `services.toml`."""
    told = tomllib.loads((HERE / "services.toml").read_text("utf-8"))
    return {name: Stage(name, folder / name, table, pairs) for name, table in told.items()}


def _shopping_list(number: int) -> str:
    return ",".join(f"SKU-{(number * 37 + place * 13) % 700:05d}" for place in range(24))


def _log_line(target: str) -> str:
    return f'127.0.0.1 - - [02/Mar/2026:10:00:00 +0000] "GET {target} HTTP/1.1" 200 12 "-" "-"\n'
