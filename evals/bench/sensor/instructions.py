"""What the sensor costs a web service in instructions, which a busy machine does not change as it changes times.

    python -m evals.bench.sensor.instructions                       # the shop and the ledger, on every Python
    python -m evals.bench.sensor.instructions --services shop --pythons 3.12 --blocks 8

The requests of the service's mix are answered in one process, without a server, under valgrind's callgrind: the same
blocks of requests without and with the sensor. Counting begins after a warm-up, so that imports, the first call of each
function and the first sight of most statements are left out, and says what each thread executed. The ratio is that of
the sums over blocks, its interval a bootstrap over blocks: it says how much the ratio depends on which requests come.

valgrind slows a program down some forty times. `dilated.c`, preloaded, slows its clocks down as much (as measured: the
CPU time of the plain service under valgrind over that without it), so that what the sensor does by the clock, folds and
slices of sampling, is done as often per request as it is without valgrind. A window is written after the warm-up, not
counted, and one at the end, counted apart: in production one is written every 10 s.

Exit status: 0, or 2 where something could not be measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from burnish.finding import Interval
from burnish.stats import bootstrap
from burnish.testing.postgres import Cluster, PostgresMissing
from evals.bench.sensor import environments, probe
from evals.bench.sensor.environments import VERSIONS, Environment
from evals.bench.sensor.errors import BenchError
from evals.bench.sensor.ratios import PLAIN, SENSOR
from evals.bench.sensor.report import Table, interval
from evals.bench.sensor.services import Service, chosen
from evals.services.traffic import load_mix

SOURCE = probe.PROBES / "dilated.c"
WINDOW, REQUESTS = "window", "requests"
_WINDOW_SECONDS = 10
#: as long as the longest run may take: no window is written but the one that is asked for
_NO_WINDOW_SECONDS = 3600
_TRIGGER = re.compile(r"^desc: Trigger: Client Request: (.+)$", re.MULTILINE)
_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_OUTPUT, _FIRST_THREAD = "callgrind.out", "-01"
_SECONDS = 3600


@dataclass(frozen=True)
class Amount:
    """How many requests: `warm_up` are not counted, then `blocks` of `block` each."""

    warm_up: int
    block: int
    blocks: int

    @property
    def counted(self) -> int:
        """Requests that are counted."""
        return self.block * self.blocks


@dataclass(frozen=True)
class Counted:
    """Instructions of one run: of the thread that answers in each block, of all others together, of one window.

    `cpu_ns`: CPU time of a request by the clocks of the run.
    """

    blocks: Sequence[int]
    others: int
    window: int
    cpu_ns: float


class Bench:
    """One service in one environment. Everything it writes is under `scratch`."""

    def __init__(self, service: Service, environment: Environment, scratch: Path, amount: Amount, seed: int) -> None:
        self._service, self._environment, self._scratch, self.amount = service, environment, scratch, amount
        self._folder = service.copy_to(scratch)
        self._library = compiled(scratch)
        self._requests = self._drawn(seed)
        self._database = ""

    def _drawn(self, seed: int) -> list[dict[str, Any]]:
        drawn = load_mix(self._service.mix, self._service.scale).requests(seed, 1)
        return [
            {"method": r.method, "path": r.path, "headers": dict(r.headers), "body": (r.body or b"").decode()}
            for r in itertools.islice(drawn, self.amount.warm_up + self.amount.counted)
        ]

    def prepare(self, cluster: Cluster, name: str) -> None:
        """A fresh database with the service's rows: every run changes some."""
        cluster.create(name)
        self._database = cluster.url(name)
        self._service.make_data(self._environment, self._folder, self._database)

    def native_ns(self) -> float:
        """CPU ns of a request of the plain service without valgrind."""
        return self._cpu_ns(self._run(PLAIN, 0))

    def counted(self, variant: str, dilation: int) -> Counted:
        """Run under callgrind. Raises BenchError with what the service or valgrind said."""
        for file in self._scratch.glob(f"{_OUTPUT}*"):
            file.unlink()
        answers = self._run(variant, dilation)
        marks, others = counts_in(self._scratch)
        blocks = [marks[name] for name in self._names()]
        return Counted(blocks, others, marks.get(WINDOW, 0), self._cpu_ns(answers))

    def _cpu_ns(self, answers: list[dict[str, Any]]) -> float:
        return float(sum(part["cpu_ns"] for part in answers if part["name"].startswith(REQUESTS)) / self.amount.counted)

    def _names(self) -> list[str]:
        return [f"{REQUESTS} {n}" for n in range(self.amount.blocks)]

    def _run(self, variant: str, dilation: int) -> list[dict[str, Any]]:
        block, warm_up = self.amount.block, self.amount.warm_up
        parts = [("warm up", self._requests[:warm_up])] + [
            (name, self._requests[warm_up + n * block :][:block]) for n, name in enumerate(self._names())
        ]
        told = {
            "application": self._service.application,
            "sensor": variant == SENSOR,
            "parts": parts,
            "marks": str(self._library) if dilation else None,
        }
        file = self._scratch / "told.json"
        file.write_text(json.dumps(told))
        words = [str(self._environment.python), str(probe.PROBES / "requests.py"), str(file)]
        return self._answers(words if not dilation else [*self._valgrind(), *words], dilation, parts)

    def _valgrind(self) -> list[str]:
        output = self._scratch / _OUTPUT
        return [
            *(found_valgrind(), "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=no"),
            f"--callgrind-out-file={output}",
        ]

    def _answers(self, command: list[str], dilation: int, parts: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
        variables = {
            **self._service.environment,
            **probe.sensor_variables(self._folder, self._scratch / "windows", _NO_WINDOW_SECONDS),
            **({"LD_PRELOAD": str(self._library), "BENCH_DILATION": str(dilation)} if dilation else {}),
            "DATABASE_URL": self._database,
            "PYTHONHASHSEED": "0",
        }
        environ = self._environment.environ(variables)
        done = subprocess.run(
            command, cwd=self._folder, env=environ, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            raise BenchError(f"{self._service.name} ended with {done.returncode}: {done.stderr.strip()[-800:]}")
        answers: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
        failed = sum(status >= 500 for part in answers for status in part["statuses"])
        if failed:
            raise BenchError(f"{self._service.name}: {failed} of {len(self._requests)} requests failed")
        return answers


def found_valgrind() -> str:
    """Where valgrind is. Raises BenchError."""
    found = shutil.which("valgrind")
    if found is None:
        raise BenchError("valgrind is not on PATH: install the package valgrind; instructions are counted by it")
    return found


def compiled(folder: Path) -> Path:
    """`dilated.c` as a library in `folder`. Raises BenchError with what the compiler said."""
    found_valgrind()
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise BenchError("there is no C compiler on PATH (cc, gcc): install one; dilated.c has to be compiled")
    library = folder / "dilated.so"
    command = [compiler, "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(library), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        said = done.stderr.strip()[:400]
        raise BenchError(
            f"{SOURCE.name} does not compile (it needs valgrind/callgrind.h, of valgrind's package): {said}"
        )
    return library


def counts_in(folder: Path) -> tuple[dict[str, int], int]:
    """What callgrind wrote: instructions of the first thread by mark, and of all other threads together."""
    marks: dict[str, int] = {}
    others = 0
    for file in folder.glob(f"{_OUTPUT}*-??"):
        text = file.read_text(encoding="utf-8", errors="replace")
        mark, total = _TRIGGER.search(text), _TOTAL.search(text)
        if total is not None and not file.name.endswith(_FIRST_THREAD):
            others += int(total[1])
        elif total is not None and mark is not None:
            marks[mark[1]] = int(total[1])
    return marks, others


def ratio(plain: Counted, sensor: Counted, *, whole: bool, rng: random.Random) -> Interval:
    """Instructions with ÷ without the sensor; `whole`: those of its own thread too, shared evenly by the blocks."""
    share = sensor.others / len(sensor.blocks) if whole else 0.0
    pairs = list(zip(plain.blocks, sensor.blocks, strict=True))
    return bootstrap(pairs, lambda some: sum(s + share for _, s in some) / sum(p for p, _ in some), rng)


def table(service: Service, environment: Environment, amount: Amount, seed: int, scratch: Path) -> Table:
    """Measure one service. Raises BenchError."""
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(Cluster.started())
        except PostgresMissing as error:
            raise BenchError(str(error)) from error
        bench = Bench(service, environment, scratch, amount, seed)
        bench.prepare(cluster, "native")
        native = bench.native_ns()
        bench.prepare(cluster, "plain")
        plain = bench.counted(PLAIN, 1)
        dilation = max(1, round(plain.cpu_ns / native))
        bench.prepare(cluster, "sensor")
        sensor = bench.counted(SENSOR, dilation)
    return _table(
        f"{service.name} in instructions, {environment.name}", amount, seed, (plain, sensor), native, dilation
    )


def _table(
    title: str, amount: Amount, seed: int, found: tuple[Counted, Counted], native_ns: float, dilation: int
) -> Table:
    (plain, sensor), n = found, amount.counted
    base, rate = sum(plain.blocks) / n, 1e9 / native_ns
    window = sensor.window / (rate * _WINDOW_SECONDS)

    def row(what: str, instructions: float, shown: str) -> list[str]:
        return [what, f"{instructions / 1e3:,.0f}", shown]

    here = interval(ratio(plain, sensor, whole=False, rng=random.Random(seed)), 4)
    both = interval(ratio(plain, sensor, whole=True, rng=random.Random(seed)), 4)
    return Table(
        title,
        f"n = {n} requests of its mix in {amount.blocks} blocks after {amount.warm_up} to warm up, in one process "
        f"without a server, PostgreSQL; callgrind, clocks slowed down {dilation} times. Thousands of instructions a "
        "request and the ratio to the same requests without the sensor, with a 95 % bootstrap interval over blocks.",
        ["", "10³ instructions a request", "ratio"],
        [
            row("plain", base, "1"),
            row("sensor, in the thread that answers", sum(sensor.blocks) / n, here),
            row("sensor, its own thread too", (sum(sensor.blocks) + sensor.others) / n, both),
            row(f"a window every 10 s, at {rate:.0f} requests a second", window, f"+ {window / base:.4f}"),
        ],
        raw={"plain": asdict(plain), "sensor": asdict(sensor), "native_ns": native_ns, "dilation": dilation},
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="python -m evals.bench.sensor.instructions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--services", type=_list, default=(), help="default: all")
    options.add_argument("--pythons", type=_list, default=VERSIONS, help=f"default: {','.join(VERSIONS)}")
    options.add_argument("--blocks", type=int, default=10, help="blocks of requests that are counted (default: 10)")
    options.add_argument("--block", type=int, default=30, help="requests in a block (default: 30)")
    options.add_argument("--warm-up", type=int, default=300, help="requests before counting begins (default: 300)")
    options.add_argument("--seed", type=int, default=1, help="of the requests")
    options.add_argument("--pure", action="store_true", help="without the native core")
    options.add_argument("--cache", type=Path, default=environments.default_cache(), help="where environments are kept")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each service and version as it is ready."""
    args = parser().parse_args(argv)
    amount, status = Amount(args.warm_up, args.block, args.blocks), 0
    for version in args.pythons:
        try:
            for service in chosen(args.services):
                environment = environments.environment(version, args.cache, service.all_requirements(), pure=args.pure)
                with tempfile.TemporaryDirectory(prefix="burnish-bench-") as scratch:
                    print(table(service, environment, amount, args.seed, Path(scratch)).markdown(), flush=True)
        except BenchError as error:
            print(f"instructions: Python {version}: {error}", file=sys.stderr)
            status = 2
    return status


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
