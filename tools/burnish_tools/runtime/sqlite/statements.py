"""The queries, fan-outs and dependencies of a profile."""

from __future__ import annotations

from burnish.profile import DependencyStats, Driver, FanOut, QueryStats
from burnish_tools.runtime.sqlite.named import Named, Totals, in_order
from burnish_tools.runtime.sqlite.rows import DEPENDENCY_ROWS, DRIVER_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Counter, Row


def queries(named: Named) -> tuple[QueryStats, ...]:
    """All statements at all call sites, in order of site and statement."""
    sums = Totals()
    for (statement, site, entry), row in named.rows(QUERY_ROWS):
        sums.add((statement, site), row, named.entry(entry)[0])
    found = (_query(named, key, *value) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda q: (q.site.function, q.site.line, q.site.file, q.statement_id, q.system)))


def _query(named: Named, where: tuple[int, int], row: Row, by_entry: Counter) -> QueryStats:
    statement, site = where
    key, text, system = named.statement(statement)
    executions, rows, unknown, _ = row.numbers
    return QueryStats.model_construct(
        statement_id=key,
        statement=text,
        system=system,
        site=named.site(site),
        executions=int(executions),
        errors=in_order(row.counters[0]),
        wall=row.tallies[0].histogram(),
        rows=None if unknown else int(rows),
        entries=in_order(by_entry),
    )


def dependencies(named: Named) -> tuple[DependencyStats, ...]:
    """All calls of other services, in order of peer, operation and site."""
    sums = Totals()
    for (peer, site, entry), row in named.rows(DEPENDENCY_ROWS):
        sums.add((peer, site), row, named.entry(entry)[0])
    found = (_dependency(named, key, *value) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda d: (d.kind, d.peer, d.operation, d.site.function, d.site.line, d.site.file)))


def _dependency(named: Named, where: tuple[int, int], row: Row, by_entry: Counter) -> DependencyStats:
    kind, peer, operation = named.peer(where[0])
    calls, timeouts, retries, _ = row.numbers
    return DependencyStats.model_construct(
        kind=kind,
        peer=peer,
        operation=operation,
        site=named.site(where[1]),
        calls=int(calls),
        errors=in_order(row.counters[0]),
        timeouts=int(timeouts),
        retries=int(retries),
        wall=row.tallies[0].histogram(),
        entries=in_order(by_entry),
    )


def fan_outs(named: Named) -> tuple[FanOut, ...]:
    """How often one call of each function ran each statement, in order of function, site and statement."""
    sums, drivers = Totals(), _drivers(named)
    for (function, statement, site, entry), row in named.rows(FAN_OUT_ROWS):
        key = named.function(function)[0], statement, site
        sums.add(key, row, named.entry(entry)[0])
    found = (_fan_out(named, key, *value, drivers.get(key)) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda f: (f.function, f.site.function, f.site.line, f.statement_id, f.system)))


def _fan_out(named: Named, key: tuple[str, int, int], row: Row, by_entry: Counter, driver: Driver | None) -> FanOut:
    function, statement, site = key
    text_id, text, system = named.statement(statement)
    calls, _, identical, time_ns = row.numbers
    return FanOut.model_construct(
        function=function,
        statement_id=text_id,
        statement=text,
        system=system,
        site=named.site(site),
        entries=in_order(by_entry),
        calls=int(calls),
        executions=row.tallies[0].histogram(),
        identical=int(identical),
        time_ns=int(time_ns),
        driver=driver,
    )


def _drivers(named: Named) -> dict[tuple[str, int, int], Driver]:
    """The most frequent driver of each (function, statement, site)."""
    sums = Totals()
    for (function, statement, site, _, *by), row in named.rows(DRIVER_ROWS):
        sums.add((named.function(function)[0], statement, site, *by), row)
    best: dict[tuple[str, int, int], Driver] = {}
    for (function, statement, site, by_statement, by_site), (row, _) in sums.rows.items():
        n, *rest = row.numbers
        text_id, text, _ = named.statement(by_statement)
        names = ("sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")
        driver = Driver(
            statement_id=text_id,
            statement=text,
            site=named.site(by_site),
            n=int(n),
            **dict(zip(names, rest, strict=True)),
        )
        key = function, statement, site
        if key not in best or _order(driver) < _order(best[key]):
            best[key] = driver
    return best


def _order(driver: Driver) -> tuple[int, str, str, int]:
    return -driver.n, driver.statement_id, driver.site.function, driver.site.line
