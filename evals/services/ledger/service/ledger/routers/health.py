"""For the load balancer."""

from fastapi import APIRouter
from sqlalchemy import text

from ledger.database import Session

router = APIRouter()


@router.get("/health")
async def health(session: Session) -> dict[str, str]:
    """200 when the database answers."""
    await session.execute(text("SELECT 1"))
    return {"status": "ok"}
