"""Who may call: the header X-Api-Key, compared by its hash, with scopes that add up."""

import hashlib
from typing import Annotated

from fastapi import Header, Security
from fastapi.security import SecurityScopes

from ledger.database import Session
from ledger.errors import Forbidden, Unauthorised
from ledger.models import ApiClient
from ledger.repositories.reference import ReferenceRepository

READ, WRITE, STAFF = "read", "write", "staff"


async def authorise(
    scopes: SecurityScopes,
    session: Session,
    x_api_key: Annotated[str, Header()] = "",
) -> ApiClient:
    """The program that calls. Raises Unauthorised, and Forbidden where it lacks a scope."""
    client = await ReferenceRepository(session).client(key_hash(x_api_key)) if x_api_key else None
    if client is None:
        raise Unauthorised("send a valid key in the header X-Api-Key")
    missing = set(scopes.scopes) - set(client.scopes.split())
    if missing:
        raise Forbidden(f"{client.name} lacks the scope {', '.join(sorted(missing))}")
    return client


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


Reader = Annotated[ApiClient, Security(authorise, scopes=[READ])]
Writer = Annotated[ApiClient, Security(authorise, scopes=[WRITE])]
Staff = Annotated[ApiClient, Security(authorise, scopes=[STAFF])]
