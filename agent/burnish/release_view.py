"""Releases as rows for `--json` and as a table for people. The keys are a contract with whoever reads `--json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from burnish.profile import Deployment
from burnish.releases import Changes, Seen

Row = dict[str, Any]
_BASE = {True: "yes", False: "no", None: "unknown"}


def release_rows(shown: Sequence[Seen], changed: Mapping[str, Changes], unseen: Sequence[Deployment] = ()) -> list[Row]:
    """One for each release, the oldest first; then those that were marked and of which no window has come."""
    rows: list[Row] = [
        {
            **one.release.model_dump(mode="json"),
            "marker": one.marker.model_dump(mode="json") if one.marker else None,
            "beside": list(one.beside),
            "outlived_by": one.outlived_by,
            "in_base": one.in_base,
            "functions": changed[one.release.name].model_dump(mode="json") if one.release.name in changed else None,
        }
        for one in shown
    ]
    never = {"first_unix_ns": None, "last_unix_ns": None, "windows": 0, "calls": 0}
    nothing: Row = {"beside": [], "outlived_by": "", "in_base": None, "functions": None}
    rows += [{"name": d.release, **never, "marker": d.model_dump(mode="json"), **nothing} for d in unseen]
    return rows


def release_table(rows: Sequence[Row], known: int) -> RenderableType:
    """A line for each."""
    shown = sum(1 for row in rows if row["windows"])
    title = "Releases" if shown == known else f"The last {shown} of {known} releases"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = ("release", "first seen", "last seen", "calls", "deployed", "in base", "new", "gone", "changed", "note")
    for column in columns:
        table.add_column(column, justify="right" if column in {"calls", "new", "gone", "changed"} else "left")
    for row in rows:
        table.add_row(
            row["name"][:12],
            _when(row["first_unix_ns"]),
            _when(row["last_unix_ns"]),
            f"{row['calls']:,}",
            _deployed(row["marker"]),
            _BASE[row["in_base"]],
            *_numbers(row["functions"]),
            _note(row),
        )
    legend = "new, gone, changed: functions against the release before; gone are those that were not called in it."
    return Group(table, legend)


def _numbers(functions: Row | None) -> list[str]:
    return [str(len(functions[key])) if functions else "" for key in ("new", "removed", "changed")]


def _note(row: Row) -> str:
    if not row["windows"]:
        return "no window of it has come"
    if row["outlived_by"]:
        return f"{row['outlived_by'][:12]} outlived it: a canary, or rolled back"
    renamed = len((row["functions"] or {}).get("renamed", {}))
    notes = [f"{renamed} renamed or moved"] if renamed else []
    notes += [f"ran beside {', '.join(name[:12] for name in row['beside'][:3])}"] if row["beside"] else []
    return "; ".join(notes)


def _deployed(marker: Row | None) -> str:
    if marker is None:
        return ""
    return _when(marker["unix_ns"]) + (f" by {marker['by']}" if marker["by"] else "")


def _when(unix_ns: int | None) -> str:
    return "" if unix_ns is None else datetime.fromtimestamp(unix_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
