"""A body as it comes over the wire, and inflated. Neither grows beyond its limit, whatever the other side sends."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from burnish_tools.collector.answers import BUSY_SECONDS, Rejected

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

ENCODINGS = {"": "identity", "identity": "identity", "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
_SLICE = 65_536
_PIECE = 1_048_576
"""What is inflated at once: bounds what is held beyond the limit."""
_MOST_MEMBERS = 1000
"""Members of a gzip body; the sensor sends at most 100. To begin one costs more than its bytes do."""
_DRAINED = 1_048_576
_DRAIN_SECONDS = 1.0


class Room(Protocol):
    """Where bytes are counted while they wait (`queue.Budget`)."""

    def reserve(self, size: int) -> bool:
        """Takes room for some bytes; False where there is none."""


class Gone(Exception):
    """The client closed the connection: there is nobody to answer."""


class Incoming:
    """A request's body on its way."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.complete = False
        """Whether all of it has come."""

    async def piece(self) -> bytes:
        """What came next. Raises Gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone
        self.complete = not message.get("more_body", False)
        return bytes(message.get("body", b""))

    async def read(self, room: Room, limit: int, seconds: float, hold: Callable[[int], None]) -> bytes:
        """The body as sent. `hold` is told what was reserved, which the caller gives back.

        Raises Rejected: 413 beyond the limit, 408 where it takes too long, 429 where there is no room; Gone.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                while not self.complete:
                    piece = await self.piece()
                    if len(body) + len(piece) > limit:
                        raise too_large(limit)
                    if not room.reserve(len(piece)):
                        raise Rejected(429, "too many bodies wait; come again", retry_after=BUSY_SECONDS)
                    hold(len(piece))
                    body += piece
        except TimeoutError:
            raise Rejected(408, f"the body took longer than {seconds:g} s") from None
        return bytes(body)

    async def drain(self) -> bool:
        """Reads what is left of a small body, so that a client still sending it sees the answer and not a reset.

        True where all of it has come, so that the connection can serve another request.
        """
        left = _DRAINED
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while left > 0 and not self.complete:
                    left -= len(await self.piece())
        except TimeoutError:
            pass
        return self.complete


def too_large(limit: int) -> Rejected:
    """The answer to a body beyond the limit."""
    return Rejected(413, f"the body is larger than {limit:,} bytes (collector.max_body_mb)")


def encoding(header: str) -> str:
    """`identity`, `gzip` or `deflate`. Raises Rejected 415 for another Content-Encoding."""
    found = ENCODINGS.get(header.strip().lower())
    if found is None:
        raise Rejected(415, "Content-Encoding must be gzip, deflate or identity", headers={"accept-encoding": "gzip"})
    return found


def inflated(data: bytes, how: str, limit: int) -> bytes:
    """The body behind its encoding. Raises Rejected: 400 where it is broken, 413 where it becomes too large."""
    if how == "identity":
        return data
    try:
        return _gunzipped(data, limit) if how == "gzip" else _deflated(data, limit)
    except zlib.error:
        raise Rejected(400, f"the body is not {how}, or is broken") from None


def _deflated(data: bytes, limit: int) -> bytes:
    """RFC 1950, as the standard says, or RFC 1951 without the head, as some send it."""
    framed = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    out = bytearray()
    rest = _member(zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS), data, 0, out, limit)
    if rest != len(data):
        raise zlib.error
    return bytes(out)


def _gunzipped(data: bytes, limit: int) -> bytes:
    out = bytearray()
    at = members = 0
    while at < len(data) or not members:
        if members == _MOST_MEMBERS:
            raise Rejected(413, f"the body has more than {_MOST_MEMBERS} gzip members")
        at = _member(zlib.decompressobj(16 + zlib.MAX_WBITS), data, at, out, limit)
        members += 1
        if data[at : at + 1] == b"\0" and not data[at:].strip(b"\0"):  # padding, as the gzip program allows it
            break
    return bytes(out)


def _member(stream: zlib._Decompress, data: bytes, at: int, out: bytearray, limit: int) -> int:
    """Inflates one stream from `at`; returns where it ends. Raises zlib.error where the data end before it."""
    while not stream.eof:
        given = stream.unconsumed_tail or data[at : at + _SLICE]
        if not stream.unconsumed_tail:
            at += len(given)
        piece = stream.decompress(given, _PIECE)
        out += piece
        if len(out) > limit:
            raise too_large(limit)
        if not given and not piece and not stream.eof:
            raise zlib.error
    return at - len(stream.unused_data)
