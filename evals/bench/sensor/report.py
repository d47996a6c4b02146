"""Tables for the terminal and for `docs/benchmarks.md`, and the raw numbers as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from burnish.finding import Interval
from evals.bench.sensor.errors import BenchError

BEGIN, END = "<!-- sensor:begin -->", "<!-- sensor:end -->"


@dataclass(frozen=True)
class Table:
    """One table: `how` says how many rounds there were and how they were taken; `raw` is what it was made from."""

    title: str
    how: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    raw: Any = field(default=None, repr=False)

    def markdown(self) -> str:
        """The table as it goes into the docs."""
        lines = [f"### {self.title}", "", self.how, ""]
        lines += ["| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"


def interval(seen: Interval, digits: int = 3) -> str:
    """`1.012 (1.004 to 1.020)`; a single round has no interval, nothing measured is a dash."""
    if math.isnan(seen.value):
        return "–"
    value = f"{seen.value:.{digits}f}"
    return value if math.isinf(seen.low) else f"{value} ({seen.low:.{digits}f} to {seen.high:.{digits}f})"


def machine() -> str:
    """Where the numbers were taken, as far as it matters and without its name."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{date.today().isoformat()}, {os.cpu_count()} cores, Linux {kernel}, load average at the end {load}."


def write_docs(path: Path, tables: Sequence[Table]) -> None:
    """Replace what stands between the markers. Raises BenchError where they are missing."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{path}: the lines {BEGIN} and {END} are missing: put them where the tables go")
    body = "\n".join(table.markdown() for table in tables)
    path.write_text(f"{before}{BEGIN}\n{machine()}\n\n{body}{END}{after}", encoding="utf-8")


def write_json(path: Path, tables: Sequence[Table]) -> None:
    """Every table with the numbers behind it."""
    data = [
        {"title": t.title, "how": t.how, "columns": [*t.columns], "rows": [[*row] for row in t.rows], "raw": t.raw}
        for t in tables
    ]
    path.write_text(json.dumps({"machine": machine(), "tables": data}, indent=1) + "\n", encoding="utf-8")


class Meter(Protocol):
    """Told after each piece of work."""

    def __call__(self, what: str = "") -> None: ...


@contextmanager
def progress(title: str, total: int) -> Iterator[Meter]:
    """A bar on stderr while a part is measured."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total, what="")

        def advance(what: str = "") -> None:
            bar.update(task, advance=1, what=what)

        yield advance
