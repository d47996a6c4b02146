"""The engine of a worker, and the session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from ledger.settings import Settings


class Database:
    """Connections are made when they are needed; `close` gives them back."""

    def __init__(self, settings: Settings) -> None:
        self.engine = create_async_engine(settings.database_url, pool_size=settings.pool_size, max_overflow=0)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def close(self) -> None:
        await self.engine.dispose()


async def request_session(request: Request) -> AsyncIterator[AsyncSession]:
    """One session for each request; what was not committed is rolled back at its end."""
    async with request.app.state.database.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(request_session)]
