"""Exchange rates, kept in each worker for a minute, and what is computed with them."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.errors import NotFound
from ledger.repositories.reference import ReferenceRepository


@dataclass(frozen=True)
class Rates:
    """What one euro is worth on a day."""

    day: date
    per_euro: dict[str, Decimal]

    def convert(self, amount_minor: int, source: str, target: str) -> int:
        """Half to even, as the books are closed. Raises NotFound for a currency without a rate."""
        if source == target:
            return amount_minor
        try:
            exact = Decimal(amount_minor) * self.per_euro[target] / self.per_euro[source]
        except KeyError as error:
            raise NotFound(f"there is no rate for {error.args[0]}") from error
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


class RateTable:
    """One for each worker. Rates change once a day, so that `ttl_s` old ones are good enough."""

    def __init__(self, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s, self._clock = ttl_s, clock
        self._lock = asyncio.Lock()
        self._rates: Rates | None = None
        self._expires = 0.0

    async def current(self, reference: ReferenceRepository) -> Rates:
        """The latest rates; of many requests that find them too old, one reads them again."""
        if self._rates is not None and self._clock() < self._expires:
            return self._rates
        async with self._lock:
            if self._rates is None or self._clock() >= self._expires:
                self._rates = Rates(*await reference.latest_rates())
                self._expires = self._clock() + self._ttl_s
            return self._rates


async def rate_table(request: Request) -> RateTable:
    """A coroutine, as FastAPI would run a plain function in another thread."""
    table: RateTable = request.app.state.rates
    return table


CurrentRates = Annotated[RateTable, Depends(rate_table)]


class Converter:
    """The worker's table, for one request."""

    def __init__(self, session: AsyncSession, table: RateTable) -> None:
        self._table, self._reference = table, ReferenceRepository(session)

    async def rates(self) -> Rates:
        return await self._table.current(self._reference)

    async def convert(self, amount_minor: int, source: str, target: str) -> int:
        """At the latest rates. Raises NotFound."""
        if source == target:
            return amount_minor
        return (await self.rates()).convert(amount_minor, source, target)
