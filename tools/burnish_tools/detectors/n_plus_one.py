"""N+1 queries: a loop that asks the database once for each row that an earlier query returned.

Definition: the *driver* returns n rows to one call of a function; then one SELECT with different parameters runs about
once for each of them (some may be the same: rows share parents).

    order_list()                                    rows of the driver →   10   20   40
    │  SELECT … FROM orders LIMIT ?      ← driver
    │  ├─ SELECT … FROM customer WHERE id = ?       executions         →   10   20   40
    │  ├─ SELECT … FROM customer WHERE id = ?
    │  └─ …                                         slope 1: it grows with the data

A fixed repetition (three lookups in every call, slope 0) is no N+1, however often it runs: prefetching needs rows to
prefetch for. Where the driver returned the same number of rows in all calls, no slope exists; then the executions have
to be about as many as the rows, and the finding says so.

The saving counts all executions but one per call, at the lower end of the mean time in the database and the least that
any function of the service spends around a query.
"""

from __future__ import annotations

from collections.abc import Iterator

from burnish.finding import Evidence, Finding, Interval, Passed
from burnish.profile import Driver, FanOut, FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import above_one, finding, slope
from burnish_tools.detectors._repeat import Cost, Reason, different, judged, once, told
from burnish_tools.detectors._stack import Owner

STEEP = 2.0
"""A loop over the rows has as many executions per row (y ÷ x) as per further row (slope). A slope of more than twice
that ratio comes from something else that varies with the rows, such as a search that ends at the first match."""


class NPlusOne:
    """Satisfies `burnish.protocols.Detector`."""

    name = "n_plus_one"

    class Settings(Section):
        """N+1 queries."""

        min_executions: float = 3.0
        """Executions in one call, on average. Other tools begin at 5 in one request (Sentry, Scout, Digma); here the
        growth is measured, so that fewer suffice."""
        min_calls: int = 30
        """Calls with at least two executions. With fewer the slope says little (30: the usual rule of thumb)."""
        min_slope: float = 0.5
        """Executions per row of the driver that the slope's interval has to exceed: at least every second row."""
        ratio_tolerance: float = 0.1
        """How far executions ÷ rows may exceed 1 where the number of rows never varies. It may be as low as
        `min_slope`: a row without a parent (NULL) needs no query."""
        min_different: float = 3.0
        """Executions per call with new parameters: with fewer it is one question asked again, a repeated query."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """From the statements-per-call rows."""

        def found(owner: Owner, stats: FunctionStats, cost: Cost) -> Finding:
            return self._finding(owner, stats, cost, profile, runtime)

        yield from once(self.name, judged(self.name, profile, self._repeats, self._reason, found))

    def _repeats(self, row: FanOut) -> bool:
        return row.executions.mean >= self.settings.min_executions

    def _reason(self, row: FanOut, stats: FunctionStats | None) -> Reason | None:
        what = f"{row.executions.mean:.1f} × per call at {row.site.function}:{row.site.line}"
        if different(row) < self.settings.min_different:
            return Why.DUPLICATE, f"{what}, {different(row):.1f} × with new parameters: a repeated query, no N+1"
        repeating = above_one(row.executions)
        if stats is None or min(stats.calls, repeating) < self.settings.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{what}, in {repeating} calls; {self.settings.min_calls} are needed"
        if row.driver is None or row.driver.n * 2 < repeating:
            n = row.driver.n if row.driver else 0
            return Why.NO_DRIVER, f"{what}; a query that returned rows came before it in {n} of {repeating} calls"
        return self._growth(row.driver, what)

    def _growth(self, driver: Driver, what: str) -> Reason | None:
        if driver.n < self.settings.min_calls:
            return (
                Why.NOT_ENOUGH_CALLS,
                f"{what}; {driver.n} calls had the same driver, {self.settings.min_calls} needed",
            )
        grows, ratio = slope(driver), driver.sum_y / max(driver.sum_x, 1)
        if grows is None:
            if self.settings.min_slope <= ratio <= 1 + self.settings.ratio_tolerance:
                return None
            return Why.DOES_NOT_GROW, f"{what}: {ratio:.2f} for each row of the driver, whose rows never vary"
        if grows.value > STEEP * ratio:
            return (
                Why.DOES_NOT_GROW,
                f"{what}: {ratio:.2f} for each row of the driver, with a slope of {grows.value:.2f}",
            )
        if grows.low > self.settings.min_slope:
            return None
        detail = (
            f"{what}: {grows.value:.2f} more for each further row of the driver [{grows.low:.2f}, {grows.high:.2f}]"
        )
        return (Why.DOES_NOT_GROW if grows.high < 2 * self.settings.min_slope else Why.NOT_ENOUGH_CALLS), detail

    def _finding(self, owner: Owner, stats: FunctionStats, cost: Cost, profile: Profile, runtime: Runtime) -> Finding:
        row = owner.fan_out
        spared = (row.executions.sum - row.calls) / max(stats.calls, row.calls)
        driver = row.driver
        assert driver is not None  # _reason has asked for it
        grows = slope(driver)
        evidence = Evidence(
            statement=row.statement,
            statement_id=row.statement_id,
            site=row.site,
            path=owner.path,
            executions_per_call=row.executions.mean,
            executions_p90=row.executions.quantile(0.9),
            identical_per_call=row.identical / row.calls,
            slope=grows,
            driver=driver.statement,
            driver_site=driver.site,
            notes=_notes(row, driver, grows, cost),
        )
        return finding(
            self.name,
            stats,
            profile,
            runtime,
            evidence,
            removable_ns=spared * sum(cost),
            removable_queries=spared,
        )


def _notes(row: FanOut, driver: Driver, grows: Interval | None, cost: tuple[float, float]) -> tuple[str, ...]:
    notes = [told(cost)]
    if grows is None:
        rows = driver.sum_x / driver.n
        notes.append(
            f"The driver returned {rows:.0f} rows in every call, so that no slope could be measured; "
            f"{driver.sum_y / driver.sum_x:.2f} executions ran for each row."
        )
    if row.identical:
        notes.append(f"{row.identical / row.executions.sum:.0%} of the executions repeat parameters of the same call.")
    return tuple(notes)
