"""The statements and the calls of other services of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.finding import Site
from burnish.profile import DependencyStats, Driver, FanOut, QueryStats
from burnish_tools.runtime.clickhouse.buckets import histogram
from burnish_tools.runtime.clickhouse.cover import Cover, Row
from burnish_tools.runtime.clickhouse.tables import DEPENDENCY_ROWS, DRIVER_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Table

_QUERY = "statement, function, file, line"
_FAN_OUT = f"caller, {_QUERY}"
Texts = Mapping[int, tuple[str, str, str]]


def queries(cover: Cover) -> tuple[tuple[QueryStats, ...], int]:
    """Statements by call site, in order of site and statement; how many were left out."""
    also, n = dearest_queries(cover)
    rows = cover.merged(QUERY_ROWS, _QUERY, more=_entries("executions"), also=also)
    texts = _texts(cover, QUERY_ROWS, "statement")
    found = [_query(row, texts) for row in rows]
    found.sort(key=lambda q: (q.site.function, q.site.line, q.site.file, q.statement_id))
    return tuple(found), max(0, n - len(found))


def _query(row: Row, texts: Texts) -> QueryStats:
    number, function, file, line, executions, fetched, unknown, errors, *wall, entries = row
    key, text, system = texts.get(number, ("", "", ""))
    return QueryStats(
        statement_id=key,
        statement=text,
        system=system,
        site=Site(function=function, file=file, line=line),
        executions=executions,
        errors=dict(sorted(errors.items())),
        wall=histogram(wall),
        rows=None if unknown else fetched,
        entries=dict(sorted(entries.items())),
    )


def fan_outs(cover: Cover) -> tuple[tuple[FanOut, ...], int]:
    """How often calls ran statements, with what drove them most often; how many were left out."""
    also, n = dearest_fan_outs(cover)
    rows = cover.merged(FAN_OUT_ROWS, _FAN_OUT, more=_entries("calls"), also=also)
    texts = {**_texts(cover, FAN_OUT_ROWS, "statement"), **_texts(cover, DRIVER_ROWS, "driver")}
    drivers = _drivers(cover, texts, also)
    found = [_fan_out(row, texts, drivers.get(tuple(row[:5]))) for row in rows]
    found.sort(key=lambda f: (f.function, f.site.function, f.site.line, f.site.file, f.statement_id))
    return tuple(found), max(0, n - len(found))


def _fan_out(row: Row, texts: Texts, driver: Driver | None) -> FanOut:
    caller, number, function, file, line, calls, identical, time_ns, *executions, entries = row
    key, text, system = texts.get(number, ("", "", ""))
    return FanOut(
        function=caller,
        statement_id=key,
        statement=text,
        system=system,
        site=Site(function=function, file=file, line=line),
        entries=dict(sorted(entries.items())),
        calls=calls,
        executions=histogram(executions),
        identical=identical,
        time_ns=int(time_ns),
        driver=driver,
    )


def _drivers(cover: Cover, texts: Texts, also: str) -> dict[tuple[Any, ...], Driver]:
    """The most frequent driver of each (function, statement, site)."""
    best: dict[tuple[Any, ...], Driver] = {}
    by = "driver, driver_function, driver_file, driver_line"
    for row in cover.merged(DRIVER_ROWS, f"{_FAN_OUT}, {by}", also=also):
        fan_out, (number, function, file, line), (n, *sums) = tuple(row[:5]), row[5:9], row[9:]
        key, text, _ = texts.get(number, ("", "", ""))
        names = ("sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")
        driver = Driver(
            statement_id=key,
            statement=text,
            site=Site(function=function, file=file, line=line),
            n=n,
            **dict(zip(names, sums, strict=True)),
        )
        if fan_out not in best or _order(driver) < _order(best[fan_out]):
            best[fan_out] = driver
    return best


def _order(driver: Driver) -> tuple[int, str, str, int]:
    return -driver.n, driver.statement_id, driver.site.function, driver.site.line


def dependencies(cover: Cover) -> tuple[DependencyStats, ...]:
    """Calls of other services by call site, in order of kind, peer, operation and site."""
    keys = "kind, peer, operation, function, line, file"
    return tuple(_dependency(row) for row in cover.merged(DEPENDENCY_ROWS, keys, more=_entries("calls")))


def _dependency(row: Row) -> DependencyStats:
    kind, peer, operation, function, line, file, calls, timeouts, retries, errors, *wall, entries = row
    return DependencyStats(
        kind=kind,
        peer=peer,
        operation=operation,
        site=Site(function=function, file=file, line=line),
        calls=calls,
        errors=dict(sorted(errors.items())),
        timeouts=timeouts,
        retries=retries,
        wall=histogram(wall),
        entries=dict(sorted(entries.items())),
    )


def _entries(column: str) -> str:
    return f"sumMap(map(toString(entry), {column}))"


def dearest_queries(cover: Cover) -> tuple[str, int]:
    """The condition that leaves the dearest statements where there are very many (else `""`); how many there are."""
    return cover.dearest(QUERY_ROWS, _QUERY, ("wall_sum", "executions"))


def dearest_fan_outs(cover: Cover) -> tuple[str, int]:
    """The same of what calls ran."""
    return cover.dearest(FAN_OUT_ROWS, _FAN_OUT, ("time_ns", "executions_sum"))


def _texts(cover: Cover, table: Table, column: str) -> Texts:
    """hash, text and system of the statements that a table's rows name"""
    query = (
        "SELECT id, hash, text, system FROM statements FINAL"
        f" WHERE id IN (SELECT DISTINCT {column} FROM {table.name} WHERE {cover.condition()})"
    )
    return {number: (key, text, system) for number, key, text, system in cover.connection.read(query, cover.values)}
