"""A window as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from burnish_tools.runtime.bounded import Distribution
from burnish_tools.runtime.format import Definition, DependencyRow, PerCallRow, QueryRow, Statement, Window
from burnish_tools.runtime.limits import FINEST
from burnish_tools.runtime.sqlite.names import Names, Numbers
from burnish_tools.runtime.sqlite.rows import (
    CALL_ROWS,
    DEPENDENCY_ROWS,
    DRIVER_ROWS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    QUERY_ROWS,
    Columns,
    Detail,
)


def detail_of(window: Window, known: Described) -> Detail:
    """The rows of a window, as they came; of none there is more than one with the same key in a sound window."""
    return {
        ENTRY_ROWS.name: _entries(window, known),
        CALL_ROWS.name: _calls(window, known),
        QUERY_ROWS.name: _queries(window.queries, known),
        FAN_OUT_ROWS.name: _fan_outs(window.per_call, known),
        DRIVER_ROWS.name: _drivers(window.per_call, known),
        DEPENDENCY_ROWS.name: _dependencies(window.dependencies, known),
    }


def _entries(window: Window, known: Described) -> Columns:
    rows = window.entries
    walls, queries = _kept([e.wall for e in rows]), _kept([e.queries for e in rows])
    return Columns(
        ([known.entries[e.entry] for e in rows],),
        ([e.calls for e in rows], _sums(walls), _sums(queries)),
        ([e.errors for e in rows], [e.status for e in rows]),
        (walls, queries),
    )


def _calls(window: Window, known: Described) -> Columns:
    rows = window.calls
    executions: dict[tuple[str, str], float] = {}
    for p in window.per_call:
        executions[p.function, p.entry] = executions.get((p.function, p.entry), 0) + p.executions.sum
    walls, owns = _kept([c.wall for c in rows]), _kept([c.own for c in rows])
    errors = [c.error for c in rows]
    return Columns(
        ([known.functions[c.function] for c in rows], [known.entries[c.entry] for c in rows]),
        (
            [c.calls for c in rows],
            _sums(walls),
            _sums(owns),
            [executions.pop((c.function, c.entry), 0) for c in rows],
            [error.calls * error.calls for error in errors],
            [error.wall * error.wall for error in errors],
        ),
        ([c.errors for c in rows], [c.callers for c in rows]),
        (walls, owns),
    )


def _queries(rows: Sequence[QueryRow], known: Described) -> Columns:
    walls = _kept([q.wall for q in rows])
    return Columns(
        (
            [known.statements[q.statement] for q in rows],
            [known.sites[q.function, q.file, q.line] for q in rows],
            [known.entries[q.entry] for q in rows],
        ),
        (
            [q.executions for q in rows],
            [q.rows or 0 for q in rows],
            [q.executions if q.rows is None else 0 for q in rows],
            _sums(walls),
        ),
        ([q.errors for q in rows],),
        (walls,),
    )


def _fan_out_keys(rows: Sequence[PerCallRow], known: Described) -> tuple[list[int], ...]:
    return (
        [known.functions[p.function] for p in rows],
        [known.statements[p.statement] for p in rows],
        [known.sites[p.site.function, p.site.file, p.site.line] for p in rows],
        [known.entries[p.entry] for p in rows],
    )


def _fan_outs(rows: Sequence[PerCallRow], known: Described) -> Columns:
    executions = _kept([p.executions for p in rows])
    numbers = [p.calls for p in rows], _sums(executions), [p.identical for p in rows], [p.time_ns for p in rows]
    return Columns(_fan_out_keys(rows, known), numbers, (), (executions,))


def _drivers(rows: Sequence[PerCallRow], known: Described) -> Columns:
    driven = [p for p in rows if p.driver is not None]
    drivers = [p.driver for p in driven if p.driver is not None]
    by = (
        [known.statements[d.statement] for d in drivers],
        [known.sites[d.site.function, d.site.file, d.site.line] for d in drivers],
    )
    numbers = (
        [d.n for d in drivers],
        [d.sum_x for d in drivers],
        [d.sum_y for d in drivers],
        [d.sum_xx for d in drivers],
        [d.sum_xy for d in drivers],
        [d.sum_yy for d in drivers],
    )
    return Columns((*_fan_out_keys(driven, known), *by), numbers)


def _dependencies(rows: Sequence[DependencyRow], known: Described) -> Columns:
    walls = _kept([d.wall for d in rows])
    return Columns(
        (
            [known.peers[d.kind, d.peer, d.operation] for d in rows],
            [known.sites[d.function, d.file, d.line] for d in rows],
            [known.entries[d.entry] for d in rows],
        ),
        ([d.calls for d in rows], [d.timeouts for d in rows], [d.retries for d in rows], _sums(walls)),
        ([d.errors for d in rows],),
        (walls,),
    )


def _kept(sent: list[Distribution]) -> list[Distribution]:
    return [h if h.scale <= FINEST else h.at_most_scale(FINEST) for h in sent]


def _sums(sent: Sequence[Distribution]) -> list[float]:
    return [h.sum for h in sent]


class Described:
    """The names of one window, as numbers: entries of the kind, functions with the code and statements with the text
    that the window tells."""

    def __init__(self, window: Window, names: Names) -> None:
        kinds = {row.entry: row.kind for row in window.entries}
        self.entries = Numbers[str](lambda name: names.entries[name, kinds.get(name, "")])
        self.functions = Numbers[str](lambda name: names.functions.number(name, window.functions.get(name, _NO_CODE)))
        self.functions.update(names.functions.known(window.functions))
        self.statements = Numbers[str](lambda key: names.statements.number(key, window.statements.get(key, _NO_TEXT)))
        self.statements.update(names.statements.known(window.statements))
        self.sites, self.peers = names.sites, names.peers


_NO_CODE, _NO_TEXT = Definition(), Statement(text="")
