"""Web: two services under their usual servers, each variant a long-lived server, driven by a second process.

In a round each server gets the same short burst of requests, in random order, while the others are idle; one worker, so
that it is busy all the time. After ten rounds the servers
are replaced. Reported are throughput, latency, and the CPU time of the server's processes per request:
that is the least noisy, and what costs money.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from burnish.testing.postgres import Cluster, PostgresMissing
from evals.bench.sensor import environments, probe, ratios, sink
from evals.bench.sensor.environments import REPOSITORY, Environment
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.processes import Server, free_port
from evals.bench.sensor.ratios import AGAIN, OURS, PLAIN, SENSOR, shuffled
from evals.bench.sensor.report import Table, interval, progress
from evals.bench.sensor.services import Service, chosen
from evals.bench.sensor.settings import Settings
from evals.services.latency import percentile

RIVALS = ("OpenTelemetry", "ddtrace", "cProfile")
USERS = 2
EPOCH = 10
CALIBRATION = 60
Burst = dict[str, Any]


def requirements(settings: Settings) -> list[str]:
    """What the chosen services need."""
    wanted = [line for service in chosen(settings.services) for line in service.all_requirements()]
    return [*wanted, *(environments.RIVALS if settings.rivals else ())]


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """A table for each service."""
    return [_service(service, environment, settings) for service in chosen(settings.services)]


def _service(service: Service, environment: Environment, settings: Settings) -> Table:
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(Cluster.started())
        except PostgresMissing as error:
            raise BenchError(str(error)) from error
        cluster.create(service.name)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=settings.scratch)))
        folder = service.copy_to(scratch)
        database = cluster.url(service.name)
        service.make_data(environment, folder, database)
        stage = Stage(service, environment, folder, database, stack.enter_context(sink.served()))
        variants = [*OURS, *(RIVALS if settings.rivals else ())]
        with driving() as driver:
            rounds, failures = _epochs(stage, variants, driver, settings)
        seen = f"the sensor saw {stage.observed_requests():,} requests"
        return _table(service, environment, settings, rounds, [seen, *failures])


@dataclass(frozen=True)
class Stage:
    """Where the variants of a service run."""

    service: Service
    environment: Environment
    folder: Path
    database: str
    collector: str

    @property
    def output(self) -> Path:
        """The sensor's windows."""
        return self.folder.parent / "windows"

    def start(self, variant: str, seed: int) -> Server:
        """A server with a variant on; `seed` is that of its hashes. Raises DoesNotRun."""
        port = free_port()
        words, variables = self._with(variant, self.service.command(port))
        own = {**self.service.environment, "DATABASE_URL": self.database, "PYTHONHASHSEED": str(seed)}
        environ = self.environment.environ({**own, **variables})
        log = self.folder.parent / f"{variant.replace(' ', '-')}.log"
        return Server(words, self.folder, environ, port, self.service.health, log)

    def _with(self, variant: str, command: list[str]) -> tuple[list[str], dict[str, str]]:
        """The whole command and variables: from outside, as each tool's documentation says."""
        python = str(self.environment.python)
        if variant == SENSOR:
            words = [python, "-m", "burnish_sensor", "--", python, *command]
            return words, probe.sensor_variables(self.folder, self.output, 10)
        if variant == "OpenTelemetry":
            return [str(Path(python).with_name("opentelemetry-instrument")), python, *command], {
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_SERVICE_NAME": self.service.name,
                "DJANGO_SETTINGS_MODULE": "shop.settings",
            }
        if variant == "ddtrace":
            return [str(Path(python).with_name("ddtrace-run")), python, *command], {
                "DD_TRACE_AGENT_URL": self.collector,
                "DD_SERVICE": self.service.name,
                "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
                "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            }
        if variant == "cProfile":
            return [python, "-m", "cProfile", "-o", str(self.folder.parent / "profile"), *command], {}
        return [python, *command], {}

    def observed_requests(self) -> int:
        """Requests in the sensor's windows, to be sure that it observed what was measured."""
        found = sum(r["calls"] for w in probe.windows(self.output) for r in w["entries"] if r["kind"] == "http")
        if not found:
            raise BenchError(f"{self.service.name}: the sensor did not observe a request")
        return int(found)


def _epochs(
    stage: Stage, variants: Sequence[str], driver: subprocess.Popen[str], settings: Settings
) -> tuple[list[dict[str, Burst]], list[str]]:
    """All rounds, and which rivals do not run. New servers every few rounds: two processes of the same program differ
    by a per cent or two for as long as they live, by the luck of their memory's layout."""
    rounds: list[dict[str, Burst]] = []
    failures: dict[str, str] = {}
    rng = random.Random(settings.seed)
    with progress(f"web {stage.service.name} {stage.environment.version}", settings.web_pairs) as advance:
        while len(rounds) < settings.web_pairs:
            with ExitStack() as stack:
                running = [variant for variant in variants if variant not in failures]
                servers = _started(stage, running, len(rounds), stack, failures)
                bench = Bench(stage.service, servers, driver)
                requests = len(rounds[0][PLAIN]["latencies_ms"]) if rounds else 0
                requests = bench.warm_up(requests, settings.burst_seconds)
                for _ in range(min(EPOCH, settings.web_pairs - len(rounds))):
                    rounds.append(bench.round(len(rounds), requests, rng))
                    advance()
    return rounds, [f"{variant} does not run here: {why}" for variant, why in failures.items()]


def _started(
    stage: Stage, variants: Sequence[str], seed: int, stack: ExitStack, failures: dict[str, str]
) -> dict[str, Server]:
    servers = {}
    for variant in variants:
        try:
            servers[variant] = stage.start(variant, seed)
        except DoesNotRun as error:
            if variant in OURS:
                raise BenchError(f"{stage.service.name}, {variant}: {error}") from error
            failures[variant] = " ".join(str(error).split())[-200:]
            continue
        stack.callback(servers[variant].stop)
    return servers


@contextmanager
def driving() -> Iterator[subprocess.Popen[str]]:
    """The second process."""
    command = [sys.executable, "-m", "evals.bench.sensor.driver"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        try:
            yield driver
        finally:
            assert driver.stdin is not None
            driver.stdin.close()
            driver.wait(30)


@dataclass(frozen=True)
class Bench:
    """Servers and their driver."""

    service: Service
    servers: Mapping[str, Server]
    driver: subprocess.Popen[str]

    def burst(self, variant: str, seed: int, requests: int) -> Burst:
        """The driver's answer, with `cpu_ns`: that of the server's processes meanwhile. Raises BenchError."""
        server = self.servers[variant]
        told = {"url": server.url, "mix": str(self.service.mix), "scale": self.service.scale, "users": USERS}
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        before = server.cpu_ns()
        print(json.dumps({**told, "seed": seed, "requests": requests}), file=self.driver.stdin, flush=True)
        answer = self.driver.stdout.readline()
        if not answer:
            raise BenchError("the load driver ended; its message is above")
        found: Burst = json.loads(answer)
        if found["died"]:
            raise BenchError(f"{self.service.name}, {variant}: {found['died']}; its log: {server.tail()}")
        return {**found, "cpu_ns": server.cpu_ns() - before}

    def warm_up(self, requests: int, seconds: float) -> int:
        """Two bursts for each server. How many requests make a burst of `seconds`, where that is not known (0)."""
        first = requests or CALIBRATION
        for variant in self.servers:
            found = self.burst(variant, 1, first)
            if variant == PLAIN and not requests:
                requests = max(CALIBRATION, round(first / found["elapsed_s"] * seconds))
        for variant in self.servers:
            self.burst(variant, 2, requests)
        return requests

    def round(self, number: int, requests: int, rng: random.Random) -> dict[str, Burst]:
        """The same burst for every server, in random order."""
        return {v: self.burst(v, 100 + number, requests) for v in shuffled(sorted(self.servers), rng)}


def _table(
    service: Service,
    environment: Environment,
    settings: Settings,
    rounds: list[dict[str, Burst]],
    notes: list[str],
) -> Table:
    requests = len(rounds[0][PLAIN]["latencies_ms"])
    variants = sorted({v for one in rounds for v in one}, key=[*OURS, *RIVALS].index)
    rows = [_row(variant, rounds, settings.seed) for variant in variants]
    return Table(
        f"{service.name} under {service.serve[1]}, {environment.name}",
        f"Against the same server without anything: medians of the ratios of n = {settings.web_pairs} rounds "
        "(latencies: ratio of the percentiles of all requests) with 95 % bootstrap intervals over rounds. Bursts of "
        f"{requests} requests, the same for each server, in random order, {USERS} users without think time, one "
        "worker, PostgreSQL; windows of 10 s. Throughput above 1 is faster, the others above 1 are slower. "
        f"`{AGAIN}` is the control (A/A).",
        ["", "CPU per request", "throughput", "p50", "p99", "CPU ms", "requests/s", "p99 ms", "errors"],
        rows,
        notes,
        {"rounds": rounds},
    )


def _row(variant: str, rounds: list[dict[str, Burst]], seed: int) -> list[str]:
    def each(value: Any) -> list[dict[str, float]]:
        return [{name: value(burst) for name, burst in one.items()} for one in rounds]

    def p(q: float) -> str:
        def of(values: Sequence[float]) -> float:
            return percentile(sorted(values), q)

        latencies = [{name: burst["latencies_ms"] for name, burst in one.items()} for one in rounds]
        return interval(ratios.pooled(latencies, variant, of, random.Random(seed)))

    cpu = each(lambda burst: burst["cpu_ns"] / len(burst["latencies_ms"]) / 1e6)
    speed = each(lambda burst: len(burst["latencies_ms"]) / burst["elapsed_s"])
    every = sorted(value for one in rounds for value in one[variant]["latencies_ms"])
    compared = (
        ["1", "1", "1", "1"]
        if variant == PLAIN
        else [
            interval(ratios.ratio(cpu, variant, random.Random(seed))),
            interval(ratios.ratio(speed, variant, random.Random(seed))),
            p(0.50),
            p(0.99),
        ]
    )
    errors = sum(one[variant]["errors"] for one in rounds)
    absolute = [median(one[variant] for one in cpu), median(one[variant] for one in speed), percentile(every, 0.99)]
    return [variant, *compared, f"{absolute[0]:.2f}", f"{absolute[1]:.0f}", f"{absolute[2]:.1f}", f"{errors}"]
