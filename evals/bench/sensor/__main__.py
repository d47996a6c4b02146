"""What the sensor costs and how right it is, measured here, as tables for `docs/benchmarks.md`.

    python -m evals.bench.sensor                                   # everything, several hours
    python -m evals.bench.sensor --only cpu --pythons 3.12 --pairs 40 --rivals
    python -m evals.bench.sensor --quick                           # whether everything runs; its numbers say nothing

Makes virtual environments in a cache (once; needs a package index) and installs `sensor/` into them.
Exit status: 0, or 2 where a part could not be measured (the others are).
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from evals.bench.sensor import environments
from evals.bench.sensor.environments import REPOSITORY, VERSIONS
from evals.bench.sensor.errors import BenchError
from evals.bench.sensor.report import Table, write_docs, write_json
from evals.bench.sensor.settings import Settings

PARTS = ("web", "cpu", "accuracy", "memory", "flush", "import")
DOCS = REPOSITORY / "docs" / "benchmarks.md"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="python -m evals.bench.sensor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", type=_list, default=PARTS, help=f"parts, of {','.join(PARTS)}")
    options.add_argument("--pythons", type=_list, default=VERSIONS, help=f"default: {','.join(VERSIONS)}")
    options.add_argument("--pairs", type=int, help="rounds of cpu, web and import (default: 40, 30 and 12)")
    options.add_argument("--quick", action="store_true", help="two short rounds of everything")
    options.add_argument(
        "--rivals", action="store_true", help="also cProfile, yappi, pyinstrument, OpenTelemetry, ddtrace"
    )
    options.add_argument("--pure", action="store_true", help="without the native core")
    options.add_argument("--programs", type=_list, default=(), help="of cpu: default all")
    options.add_argument("--services", type=_list, default=(), help="of web: default all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--cache", type=Path, default=environments.default_cache(), help="where environments are kept")
    options.add_argument("--json", type=Path, help="also write the tables and the numbers behind them here")
    options.add_argument("--markdown", action="store_true", help="print Markdown")
    options.add_argument("--write-docs", action="store_true", help=f"put the tables into {DOCS.name}")
    return options


def settings(args: argparse.Namespace, scratch: Path) -> Settings:
    """The amounts of work."""
    quick = args.quick
    return Settings(
        scratch=scratch,
        pairs=args.pairs or (2 if quick else 40),
        web_pairs=args.pairs or (2 if quick else 30),
        import_pairs=args.pairs or (3 if quick else 12),
        seed=args.seed,
        cpu_seconds=0.5 if quick else 3.0,
        warm_seconds=0.3 if quick else 1.0,
        burst_seconds=0.7 if quick else 2.0,
        accuracy_seconds=10.0 if quick else 60.0,
        rivals=args.rivals,
        pure=args.pure,
        quick=quick,
        programs=tuple(args.programs),
        services=tuple(args.services),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measures the parts one after another and prints each table as it is ready."""
    args = parser().parse_args(argv)
    unknown = [part for part in args.only if part not in PARTS]
    if unknown:
        print(f"bench: --only {unknown[0]}: there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="burnish-bench-") as scratch:
        tables, failed = _measured(args, settings(args, Path(scratch)))
    if args.json:
        write_json(args.json, tables)
    if args.write_docs and tables:
        write_docs(DOCS, tables)
    return 2 if failed else 0


def _measured(args: argparse.Namespace, asked: Settings) -> tuple[list[Table], bool]:
    tables, failed = [], False
    for part in args.only:
        for version in args.pythons:
            try:
                made = _part(part, version, args, asked)
            except BenchError as error:
                print(f"bench: {part}, Python {version}: {error}", file=sys.stderr)
                failed = True
                continue
            for table in made:
                _show(table, as_markdown=args.markdown)
            tables += made
    return tables, failed


def _part(part: str, version: str, args: argparse.Namespace, asked: Settings) -> list[Table]:
    """Each part is a module with `requirements(settings)` and `measure(environment, settings)`."""
    module = importlib.import_module(f"evals.bench.sensor.{'imports' if part == 'import' else part}")
    environment = environments.environment(version, args.cache, module.requirements(asked), pure=args.pure)
    measured: list[Table] = module.measure(environment, asked)
    return measured


def _show(table: Table, *, as_markdown: bool) -> None:
    if as_markdown:
        print(table.markdown(), flush=True)
    else:
        Console().print(Markdown(table.markdown()))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
