"""The application. `uvicorn --factory ledger.main:create_app`"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ledger import errors
from ledger.database import Database
from ledger.middleware import RequestId
from ledger.routers import accounts, customers, entries, health, reports, transfers
from ledger.services.currency import RateTable
from ledger.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """One application for each worker. Raises ValueError where a setting is missing."""
    settings = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = Database(settings)
        app.state.rates = RateTable(settings.rates_ttl_s)
        yield
        await app.state.database.close()

    app = FastAPI(title="Ledger", version="2.3.0", lifespan=lifespan)
    app.add_middleware(RequestId)
    app.add_exception_handler(errors.LedgerError, errors.answer)
    for module in (health, accounts, customers, entries, transfers, reports):
        app.include_router(module.router)
    return app
