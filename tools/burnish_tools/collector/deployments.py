"""`POST /v1/deployments`: what a deploy script says when a release goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from burnish.profile import Deployment
from burnish_tools.collector.answers import Rejected

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _unix_ns(value: object) -> object:
    """A time as text, in Unix ns (to the microsecond); anything else is left to be judged as a number."""
    if not isinstance(value, str):
        return value
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("neither RFC 3339 (2026-11-22T10:00:00Z) nor Unix nanoseconds") from None
    if at.tzinfo is None:
        raise ValueError("without a time zone; end it with Z or +01:00")
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


class Mark(BaseModel):
    """A release of a service that went out. Unknown keys are errors: a misspelt one would be lost silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    service: Name
    release: Name
    environment: Name = "production"
    at: Annotated[int, BeforeValidator(_unix_ns), Field(gt=0, lt=2**62)] | None = None
    """When: RFC 3339 with its zone, or Unix ns; default: now."""
    by: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    """Who or what says so, such as `ci`."""

    def deployment(self, now_ns: int) -> Deployment:
        """As the dataset keeps it."""
        return Deployment(release=self.release, unix_ns=now_ns if self.at is None else self.at, by=self.by)


def mark(body: bytes) -> Mark:
    """Raises Rejected 400 that names the field."""
    try:
        return Mark.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = str(first["loc"][0]) if first["loc"] else ""
        text = f"{where}: {first['msg']}" if where else first["msg"]
        keys = ", ".join(Mark.model_fields)
        raise Rejected(400, f"{text} (a JSON object with {keys})") from None
