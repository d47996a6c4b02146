"""Who changed what; written after the answer was sent."""

import logging
from datetime import UTC, datetime

from ledger.database import Database
from ledger.models import AuditEvent

log = logging.getLogger(__name__)


async def record(database: Database, client: str, action: str, subject: str) -> None:
    """In a session of its own. A failure is logged: the answer is out already."""
    event = AuditEvent(client=client, action=action, subject=subject, happened_at=datetime.now(UTC))
    try:
        async with database.sessions.begin() as session:
            session.add(event)
    except Exception:
        log.exception("audit: %s %s by %s was not recorded", action, subject, client)
