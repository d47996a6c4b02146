"""Windows to a Unix socket: one line each, and a line in return. ``docs/format.md`` describes it."""

from __future__ import annotations

import re
import socket
import time

from ..threads import original
from .spool import Item, lines_of
from .transport import ACCEPTED, LATER, REFUSED, Answer

_ANSWER = re.compile(rb"(ok|refused|later)(?: ([^\n]{0,200}))?\n\Z")
_LONGEST_ANSWER = 256


class UnixTransport:
    """One window, one answer; the connection is kept while there are more."""

    batch = 1
    batch_bytes = 1

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def send(self, items: list[tuple[Item, bytes]], seconds: float) -> Answer:
        """Send the window and read the answer. An answer that is none of the protocol's means later."""
        deadline = time.monotonic() + seconds
        try:
            answer = self._exchange(items[0][1], deadline)
        except (OSError, ValueError):
            self.close()  # an answer that comes too late must not be taken for that of the next window
            raise
        if answer.verdict != ACCEPTED:
            self.close()
        return answer

    def _exchange(self, data: bytes, deadline: float) -> Answer:
        connected = self._connected(deadline)
        for piece in lines_of(data):
            connected.settimeout(_left(deadline))
            connected.sendall(piece)
        line = b""
        while not line.endswith(b"\n") and len(line) < _LONGEST_ANSWER:
            connected.settimeout(_left(deadline))
            received = connected.recv(_LONGEST_ANSWER)
            if not received:
                return Answer(LATER, "the connection was closed before the answer")
            line += received
        return _answer(line)

    def _connected(self, deadline: float) -> socket.socket:
        if self._socket is None:
            self._socket = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(_left(deadline))
            self._socket.connect(self._path)
        return self._socket

    def close(self) -> None:
        """Close the connection, if there is one."""
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()

    def abort(self) -> None:
        """Wake the thread that waits on the connection."""
        connected = self._socket
        try:
            if connected is not None:
                connected.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("no answer in time")
    return left


def _answer(line: bytes) -> Answer:
    match = _ANSWER.match(line)
    if match is None:
        return Answer(LATER, "the answer is not one of ok, refused and later")
    word, rest = match[1].decode(), (match[2] or b"").decode(errors="replace")
    if word == "ok":
        return Answer(ACCEPTED)
    if word == "refused":
        return Answer(REFUSED, rest or "no reason given")
    return Answer(LATER, "it asked to wait", float(rest) if rest.isascii() and rest.isdigit() else 0.0)
