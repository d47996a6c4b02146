"""The search of the compliance department."""

from typing import Annotated

from fastapi import APIRouter, Query

from ledger.database import Session
from ledger.models import Category, Entry
from ledger.repositories.entries import EntryRepository
from ledger.schemas import EntryOut, PageSize
from ledger.services.access import Staff

router = APIRouter(prefix="/entries", tags=["compliance"])


@router.get("", response_model=list[EntryOut])
async def search_entries(
    counterparty: Annotated[str, Query(min_length=2, max_length=70)],
    category: Category,
    session: Session,
    client: Staff,
    limit: PageSize = 50,
) -> list[Entry]:
    return await EntryRepository(session).search(counterparty, category, limit)
