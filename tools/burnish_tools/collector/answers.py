"""What a request is answered with: JSON of our own, or for OTLP a `google.rpc.Status` as the request is encoded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

JSON = "application/json"
PROTOBUF = "application/x-protobuf"

BUSY_SECONDS = 5.0
"""Retry-After when the queue is full: some ten commits."""
DATABASE_SECONDS = 15.0
"""Retry-After when the database cannot be written: a lock goes away, a full disk does not at once."""

_RPC = {400: 3, 401: 16, 404: 12, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
"""`google.rpc.Code` by HTTP status: INVALID_ARGUMENT, UNAUTHENTICATED, UNIMPLEMENTED, …"""


class Dialect(Enum):
    """How errors are written."""

    OURS = "ours"
    OTLP_JSON = "otlp json"
    OTLP_PROTOBUF = "otlp protobuf"


@dataclass(frozen=True)
class Answer:
    """A response. `retry_after` in seconds."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self) -> list[tuple[bytes, bytes]]:
        """Its header fields, as ASGI wants them."""
        fields = {"content-type": self.content_type, "content-length": str(len(self.body)), **self.headers}
        if self.retry_after is not None:
            fields["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]


class Rejected(Exception):
    """The request is answered with an error: the status, and what is wrong in words for a person."""

    def __init__(
        self, status: int, text: str, *, retry_after: float | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after, self.headers = status, text, retry_after, headers or {}

    def answer(self, dialect: Dialect = Dialect.OURS) -> Answer:
        """As a response."""
        if dialect is Dialect.OTLP_PROTOBUF:
            body, kind = _status(_RPC.get(self.status, 2), self.text), PROTOBUF
        elif dialect is Dialect.OTLP_JSON:
            body, kind = _json({"code": _RPC.get(self.status, 2), "message": self.text}), JSON
        else:
            body, kind = _json({"error": self.text}), JSON
        return Answer(self.status, body, self.retry_after, kind, self.headers)


def said(value: Mapping[str, Any], status: int = 200) -> Answer:
    """A JSON object."""
    return Answer(status, _json(value))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _status(code: int, message: str) -> bytes:
    """`google.rpc.Status` (code = 1, message = 2) on the wire; its classes are in a package that nothing else needs."""
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)
