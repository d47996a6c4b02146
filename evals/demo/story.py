"""What happened, for people: tables in the terminal and an HTML page with plots. Nothing is decided here."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygal
from rich.console import Console
from rich.table import Table

from evals.demo.scene import Scene, burnish_command, shown


@dataclass(frozen=True)
class Load:
    """One load run: latencies in milliseconds over all requests."""

    name: str
    requests: int
    errors: int
    p50: float
    p90: float
    p99: float

    @classmethod
    def read(cls, name: str, result: dict[str, Any]) -> Load:
        """From the load driver's JSON."""
        overall = result["overall"]
        return cls(
            name,
            overall["count"],
            overall["errors"],
            overall["p50_ms"],
            overall["p90_ms"],
            overall["p99_ms"],
        )

    @property
    def sentence(self) -> str:
        """In one line."""
        return (
            f"{self.requests:,} requests, {self.errors} errors; "
            f"p50 {self.p50:.1f} ms, p90 {self.p90:.1f} ms, p99 {self.p99:.1f} ms"
        )


@dataclass
class Story:
    """Loads, outcomes and queries per request, as they come in."""

    loads: list[Load] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    queries_per_request: list[float] = field(default_factory=list)

    def read_queries(self, config: Path) -> None:
        """SQL executions per request, release by release, from Burnish's dataset."""
        from burnish.app import App

        runtime = App(config).runtime
        runtime.refresh()
        profiles = [runtime.profile(release.name) for release in runtime.releases()]
        for entries in ([e for e in p.entries if e.kind == "http"] for p in profiles if p):
            calls = sum(e.calls for e in entries)
            self.queries_per_request.append(sum(e.queries.sum for e in entries) / calls if calls else 0.0)

    def tell(self, scene: Scene) -> None:
        """The closing tables, and where to look."""
        console = Console(width=None if Console().is_terminal else 150)
        console.print()
        console.print(self._fixes())
        console.print(FOOTNOTE, style="dim", soft_wrap=True)
        console.print()
        console.print(self._service())
        burnish, config = burnish_command(), shown(scene.config)
        console.print(f"\nWhere to look:\n  git -C {shown(scene.checkout)} log --stat", soft_wrap=True)
        console.print(f"  {burnish} outcomes --config {config}", soft_wrap=True)
        for outcome in self.outcomes:
            console.print(f"  {burnish} show {outcome['job'][:8]} --config {config}", soft_wrap=True)
        console.print(f"  {shown(scene.directory / 'report.html')}", soft_wrap=True)

    def write(self, path: Path) -> None:
        """The HTML page, one file without anything from outside."""
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _fix_cells(o)) + "</tr>" for o in self.outcomes
        )
        head = "".join(f"<th>{html.escape(name)}</th>" for name in FIX_COLUMNS)
        loads = "".join(f"<li>{html.escape(load.name)}: {html.escape(load.sentence)}</li>" for load in self.loads)
        if self.queries_per_request:
            queries = " → ".join(f"{q:.1f}" for q in self.queries_per_request)
            loads += f"<li>SQL queries per request, release by release: {queries}</li>"
        path.write_text(
            PAGE.format(
                head=head,
                rows=rows,
                loads=loads,
                note=FOOTNOTE,
                latency=self._latency_plot(),
                savings=self._savings_plot(),
            ),
            encoding="utf-8",
        )

    def _fixes(self) -> Table:
        table = Table(title="Fixes, predicted against measured", box=None, title_justify="left", pad_edge=False)
        for name in FIX_COLUMNS:
            table.add_column(name, overflow="fold")
        for outcome in self.outcomes:
            table.add_row(*_fix_cells(outcome))
        return table

    def _service(self) -> Table:
        table = Table(title="The service under the same load", box=None, title_justify="left", pad_edge=False)
        for name in ("", "p50", "p90", "p99", "queries per request", "requests"):
            table.add_column(name, justify="left" if not name else "right")
        queries = [f"{q:.1f}" for q in self.queries_per_request] or ["?"]
        for load, q in ((self.loads[0], queries[0]), (self.loads[-1], queries[-1])):
            times = (f"{value:.1f} ms" for value in (load.p50, load.p90, load.p99))
            table.add_row(load.name, *times, q, f"{load.requests:,}")
        first, last = self.loads[0], self.loads[-1]
        changes = (
            f"{b / a - 1:+.0%}" for a, b in ((first.p50, last.p50), (first.p90, last.p90), (first.p99, last.p99))
        )
        table.add_row("change", *changes, "", "")
        return table

    def _latency_plot(self) -> str:
        chart = pygal.Bar(**PLOT, title="Latency of all requests (ms)", x_title="same load after each deployment")
        chart.x_labels = [load.name for load in self.loads]
        for name in ("p50", "p90", "p99"):
            chart.add(name, [round(getattr(load, name), 1) for load in self.loads])
        return str(chart.render(is_unicode=True))

    def _savings_plot(self) -> str:
        chart = pygal.Bar(**PLOT, title="Time per call that went away (%): promised floor, measured with 95 % interval")
        chart.x_labels = [o["function"].split(":")[-1] for o in self.outcomes]
        chart.add("promised", [_share(o["predicted"]["time_saving"]["low"]) for o in self.outcomes])
        chart.add("measured", [_with_interval(o["measured"]["time_saving"]) for o in self.outcomes])
        return str(chart.render(is_unicode=True))


FIX_COLUMNS = ("function", "kind", "predicted", "measured (95 % interval)", "queries/call", "verdict", "rank")
PLOT: dict[str, Any] = {
    "js": [],
    "disable_xml_declaration": True,
    "height": 360,
    "width": 860,
    "print_values": True,
    "print_values_position": "top",
    "style": pygal.style.CleanStyle,
}
FOOTNOTE = (
    "Measured is time per call at the old mix of entries, against the entries that never reach the function: "
    "what a busier machine does to all of them is taken out."
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Burnish: what the demo measured</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd }}
svg {{ max-width: 100%; height: auto }}</style></head><body>
<h1>What the demo measured</h1>
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
<p>{note}</p><ul>{loads}</ul>
<figure>{latency}</figure>
<figure>{savings}</figure>
</body></html>
"""


def _fix_cells(outcome: dict[str, Any]) -> tuple[str, ...]:
    predicted, measured = outcome["predicted"], outcome["measured"]
    saving = measured["time_saving"]
    return (
        outcome["function"],
        outcome["kind"],
        f"≥ {predicted['time_saving']['low']:.0%} less time",
        f"{saving['value']:.0%} less ({saving['low']:.0%} to {saving['high']:.0%})",
        f"{measured['queries_before']:.1f} → {measured['queries_after']:.1f}",
        outcome["outcome"],
        f"{measured['rank_before']} → {measured['rank_after'] or 'none'}",
    )


def _share(value: float) -> float:
    return round(100 * value, 1)


def _with_interval(saving: dict[str, float]) -> dict[str, Any]:
    low, high = _share(saving["low"]), _share(saving["high"])
    return {"value": _share(saving["value"]), "ci": {"low": low, "high": high}}
