"""The composition root: configuration → adapters → world → graph. Only this file of `burnish` imports `burnish_tools`.

Adapters are made when first asked for, so that a command that only reads the dataset imports neither git nor langgraph.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import create_model

from burnish.configfile import load
from burnish.errors import ConfigError, UsageError
from burnish.finding import Finding
from burnish.job import Job
from burnish.profile import LineTime, Profile
from burnish.protocols import Clock, Database, Detector, Forge, ModelAdapter, Prover, Recipe, Runtime, Workspace
from burnish.risk import RiskSettings
from burnish.settings import (
    LimitSettings,
    RankSettings,
    ScheduleSettings,
    Section,
    ServiceSettings,
    VerdictSettings,
)
from burnish.statements import ServerStatement
from burnish.store import Store
from burnish.world import World
from burnish_tools.collector import CollectorSettings
from burnish_tools.detectors import detector_types
from burnish_tools.forges import ForgeSettings
from burnish_tools.model import ModelSettings
from burnish_tools.proof.settings import ProofSettings
from burnish_tools.runtime import RuntimeSettings, SqliteRuntime, is_server, open_store
from burnish_tools.runtime import Store as Dataset
from burnish_tools.state.opening import Place, place

if TYPE_CHECKING:
    from burnish.graph import Jobs
    from burnish_tools.collector.server import Collector
    from burnish_tools.forges.local import LocalForge

AUTHOR = ("Burnish", "burnish@localhost")
"""Name and address on Burnish's commits; a commit by anyone else on a branch makes it theirs."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()


class _Config(Section):
    """Everything that a team may set."""

    state: str = ".burnish"
    """Directory for Burnish's own state (jobs, checkpoints, clones), relative to the configuration file."""
    state_database: str = ""
    """URL of a PostgreSQL database (`postgres://…`) for jobs, runs, checkpoints and what the model has cost, where
    several machines work on one service: one database for each configuration. Empty: files in `state`."""
    service: ServiceSettings
    runtime: RuntimeSettings = RuntimeSettings()
    collector: CollectorSettings = CollectorSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    limits: LimitSettings = LimitSettings()
    rank: RankSettings = RankSettings()
    proof: ProofSettings = ProofSettings()
    risk: RiskSettings = RiskSettings()
    verdict: VerdictSettings = VerdictSettings()
    forge: ForgeSettings = ForgeSettings()
    model: ModelSettings = ModelSettings()


@cache
def config_type() -> type[_Config]:
    """The whole configuration, with one section for each detector that is installed."""
    sections: dict[str, Any] = {t.name: (t.Settings, t.Settings()) for t in detector_types()}
    detectors = create_model("DetectorsSection", __base__=Section, **sections)
    return create_model("Config", __base__=_Config, detectors=(detectors, detectors()))


class App:
    """One configuration, put together."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str] | None = None,
        *,
        clock: Clock | None = None,
        begins: Callable[[Job], None] = lambda job: None,
        ends: Callable[[Job], None] = lambda job: None,
        checks: Callable[[str, float], None] = lambda name, share: None,
    ) -> None:
        self.environment = os.environ if environment is None else environment
        self.config: Any = load(config_type(), path, self.environment)
        self.base = path.resolve().parent
        self.clock = clock or SystemClock()
        self._begins, self._ends, self._checks = begins, ends, checks

    def path(self, text: str) -> Path:
        """A path of the configuration, relative to the configuration file."""
        return self.base / Path(text).expanduser()

    @cached_property
    def state(self) -> Path:
        """Burnish's own directory."""
        return self.path(self.config.state)

    @cached_property
    def store(self) -> Store:
        """Jobs and runs."""
        return self._place.store()

    @property
    def _place(self) -> Place:
        return place(self.config.state_database, self.state, self.clock)

    @cached_property
    def runtime(self) -> Runtime:
        """The dataset."""
        settings = self.config.runtime
        if is_server(settings.database):
            service = self.config.service
            return self.dataset.runtime(service.name, service.environment, self.path(settings.windows))
        return SqliteRuntime(
            self.path(settings.database),
            self.config.service.name,
            self.config.service.environment,
            spool=self.path(settings.windows),
            keep=settings.keep,
        )

    def collector(self, host: str | None = None, port: int | None = None) -> Collector:
        """What `burnish collect` runs; `host` and `port` go before those of the configuration."""
        from burnish_tools.collector.ports import otlp_receiver
        from burnish_tools.collector.server import Collector

        told = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings: CollectorSettings = self.config.collector.model_copy(update=told)
        database, directory = self.config.runtime.database, self.path(settings.directory)
        return Collector(
            settings,
            directory / "server" if is_server(database) else self.path(database),
            directory,
            self.open_dataset,
            token=self.environment.get(settings.token_variable, ""),
            receiver=otlp_receiver(directory / "otlp", settings.otlp),
        )

    @cached_property
    def dataset(self) -> Dataset:
        """Where the dataset of all services is kept, for what writes to it."""
        return self.open_dataset()

    def open_dataset(self) -> Dataset:
        """The same, opened anew with each call."""
        settings = self.config.runtime
        database = settings.database if is_server(settings.database) else self.path(settings.database)
        return open_store(database, settings.keep, self.environment.get(settings.password_variable, ""))

    @cached_property
    def database(self) -> Database | None:
        """The service's database, for plans; None where none is configured."""
        from burnish_tools.databases import connect

        url = self._url(self.config.service.database)
        return connect(url, self._url(self.config.proof.database)) if url else None

    @cached_property
    def detectors(self) -> tuple[Detector, ...]:
        """With their settings."""
        return tuple(t(getattr(self.config.detectors, t.name)) for t in detector_types())

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """All that are installed."""
        from burnish_tools.recipes import recipes

        return tuple(recipes())

    @cached_property
    def workspace(self) -> Workspace:
        """The service's repository."""
        from burnish_tools.workspace import Author, GitWorkspace

        service = self.config.service
        forge = self.config.forge
        token = self.environment.get(forge.token_variable, "") if forge.kind == "github" else ""
        repository = service.repository
        local = "://" not in repository and "@" not in repository.split("/")[0]
        return GitWorkspace(
            str(self.path(repository)) if local else repository,
            branch=service.branch,
            root=service.root,
            state_dir=self.state / "git",
            author=Author(*AUTHOR),
            token=token,
        )

    @cached_property
    def prover(self) -> Prover:
        """Runs the checks."""
        from burnish_tools.databases import connect
        from burnish_tools.proof.prover import ServiceProver

        service: ServiceSettings = self.config.service
        log = str(self.path(service.access_log)) if service.access_log else ""
        python = str(self.path(service.python)) if service.python else ""
        proof: ProofSettings = self.config.proof
        return ServiceProver(
            service.model_copy(update={"access_log": log, "python": python}),
            proof.model_copy(update={"database": self._url(proof.database)}),
            self.workspace,
            self.state / "proof",
            connect=connect,
            progress=self._checks,
        )

    @cached_property
    def forge(self) -> Forge:
        """Where pull requests live."""
        settings = self.config.forge
        if settings.kind == "local":
            return self.local_forge
        from burnish_tools.forges.github import GitHubForge

        token = self._secret(settings.token_variable, "forge.token_variable")
        return GitHubForge(settings, token, base=self.config.service.branch)

    @cached_property
    def local_forge(self) -> LocalForge:
        """The local desk; UsageError where the configuration names another forge."""
        if self.config.forge.kind != "local":
            raise UsageError("approve and refuse are for the local forge; on GitHub the pull request is the desk")
        from burnish_tools.forges.local import LocalForge

        service = self.config.service
        return LocalForge(
            self.path(service.repository), self.state / "pull_requests.sqlite3", self.clock, base=service.branch
        )

    @cached_property
    def model(self) -> ModelAdapter | None:
        """The model that is asked where no recipe applies; None by default."""
        settings = self.config.model
        if settings.name == "none":
            return None
        from burnish_tools.model.anthropic_model import AnthropicModel
        from burnish_tools.model.budget import Budget

        key = self._secret(settings.api_key_variable, "model.api_key_variable")
        return AnthropicModel(settings, key, Budget(self._place.spending(), settings, self.clock))

    @cached_property
    def world(self) -> World:
        """The collaborators of the steps."""
        return World(
            runtime=self.runtime,
            database=self.database,
            detectors=self.detectors,
            recipes=self.recipes,
            workspace=self.workspace,
            prover=self.prover,
            forge=self.forge,
            model=self.model,
            store=self.store,
            clock=self.clock,
            limits=self.config.limits,
            ranking=self.config.rank,
            verdicts=self.config.verdict,
            risk=self.config.risk,
            lines=self._lines,
            remarks=self._remarks,
            begins=self._begins,
            ends=self._ends,
        )

    @cached_property
    def jobs(self) -> Jobs:
        """The graph."""
        from burnish.graph import Jobs

        return Jobs(self.world, self._place.checkpoints())

    def dry(self, directory: Path, say: Callable[[str], None]) -> World:
        """A world whose writes are only told: forge and branches are printed, jobs go to a directory of their own."""
        from burnish_tools.dry import DryForge, DryWorkspace

        store = Store(directory, self.clock)
        for job in self.store.jobs():
            store.save(job)
        forge, workspace = DryForge(self.forge, say), DryWorkspace(self.workspace, say)
        return replace(self.world, store=store, forge=forge, workspace=workspace)

    def _lines(self, since_unix_ns: int) -> tuple[LineTime, ...]:
        """Self time by line from the profiles in `runtime.profiles`."""
        from burnish_tools.sources.directory import line_times

        directory = self.config.runtime.profiles
        return line_times(self.path(directory), since_unix_ns) if directory else ()

    @cached_property
    def _remarks(self) -> Callable[[Finding, Profile], tuple[str, ...]]:
        """What the service's PostgreSQL has counted."""
        url = self._url(self.config.service.database)
        if not url.startswith(("postgres://", "postgresql://")):
            return lambda finding, profile: ()
        from burnish_tools.sources.pg_stat_statements import Remarks

        return Remarks(url)

    def server_statements(self, profile: Profile) -> Sequence[ServerStatement]:
        """What the service's PostgreSQL counts of every statement. Raises ConfigError, Unavailable."""
        from burnish_tools.sources.pg_stat_statements import server_statements

        return server_statements(self._url(self.config.service.database), profile)

    def _secret(self, variable: str, key: str) -> str:
        value = self.environment.get(variable, "")
        if not value:
            raise ConfigError(f"environment variable {variable} is not set; set it, or name another with {key}")
        return value

    def _url(self, url: str) -> str:
        """A database URL; `sqlite:///relative` is relative to the configuration file."""
        scheme, slashes, path = url.partition(":///")
        sqlite = slashes and scheme.partition("+")[0] == "sqlite"  # sqlite+aiosqlite:///… is how a service may want it
        return f"{scheme}:///{self.path(path)}" if sqlite else url
