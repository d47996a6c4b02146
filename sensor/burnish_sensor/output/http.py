"""Windows by HTTP: POST of JSON lines, compressed. ``docs/format.md`` says what a receiver has to do."""

from __future__ import annotations

import io
import re
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from .. import __version__
from ..threads import original
from .address import Address
from .spool import Item
from .transport import ACCEPTED, LATER, REFUSED, TOO_LARGE, Answer

#: answers of the class 4xx that say "not now" and not "never" (RFC 9110, RFC 8470, RFC 6585)
_NOT_NOW = frozenset({408, 425, 429})
_SECONDS = re.compile(r"\s*(\d{1,9})\s*\Z")


class HttpTransport:
    """One connection for each batch: there are few, and none is left open across a fork or a quiet night.

    Nothing of the host's is used: not its proxies (``HTTPS_PROXY``), not its HTTP libraries, whose hooks would observe
    us, not the sockets that gevent made of the system's: this is a thread, and may wait. Certificates are those of the
    system (``SSL_CERT_FILE`` is obeyed). Redirects are not followed.
    """

    batch = 100
    batch_bytes = 1_000_000

    def __init__(self, address: Address, token: str) -> None:
        self._address = address
        self._token = token
        self._socket: socket.socket | None = None

    def send(self, items: list[tuple[Item, bytes]], seconds: float) -> Answer:
        """One POST; several gzip members are one gzip file (RFC 1952, 2.2)."""
        deadline = time.monotonic() + seconds
        try:
            connection = HTTPConnection(self._address.host, self._address.port)
            connection.sock = self._connected(deadline)
            body = b"".join(data for _, data in items)
            try:
                connection.request("POST", self._address.path, body, self._headers(items))
            except (BrokenPipeError, ConnectionResetError):
                pass  # who finds a body too large may answer before he has read it
            response = connection.getresponse()
            return _answer(response.status, response)
        except HTTPException as error:
            return Answer(LATER, f"no HTTP answer: {type(error).__name__}")
        finally:
            self.close()

    def _headers(self, items: list[tuple[Item, bytes]]) -> dict[str, str]:
        first, last = items[0][0], items[-1][0]
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Idempotency-Key": f'"{first.instance}/{first.sequence}-{last.sequence}"',
            "User-Agent": f"burnish-sensor/{__version__}",
            "Connection": "close",
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _connected(self, deadline: float) -> Any:
        self._socket = self._opened(deadline)
        if self._address.kind == "https":
            self._socket.settimeout(_left(deadline))
            self._socket = _trust().wrap_socket(self._socket, server_hostname=self._address.host)
        return _Timed(self._socket, deadline)

    def _opened(self, deadline: float) -> socket.socket:
        """A connection to the first of the host's addresses that takes one. The resolver has timeouts of its own."""
        found = original("socket", "getaddrinfo")(self._address.host, self._address.port, 0, socket.SOCK_STREAM)
        failed: OSError = OSError(f"{self._address.host} has no address")
        for family, kind, protocol, _, place in found:
            opened: socket.socket = original("socket", "socket")(family, kind, protocol)
            try:
                opened.settimeout(_left(deadline))
                opened.connect(place)
                return opened
            except OSError as error:
                failed = error
                opened.close()
        raise failed

    def close(self) -> None:
        """Close the connection, if there is one."""
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()

    def abort(self) -> None:
        """Wake the thread that waits on the connection. Not through ``ssl``, which is not made for two threads."""
        connected = self._socket
        try:
            if connected is not None:
                original("socket", "socket").shutdown(connected, socket.SHUT_RDWR)
        except OSError:
            pass


def _trust() -> ssl.SSLContext:
    """Certificates and host names are checked; what is trusted is what the system trusts."""
    context: ssl.SSLContext = original("ssl", "SSLContext")(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


class _Timed:
    """A socket whose operations all end by one deadline: a timeout alone is for each of them, and begins again."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connected, deadline

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left(self._deadline))
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket, self._deadline))

    def close(self) -> None:
        self._socket.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connected, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("no answer in time")
    return left


def _answer(status: int, response: HTTPResponse) -> Answer:
    """2xx: accepted. 413: too large. Other 4xx: never, except those that say when. Everything else: later."""
    if 200 <= status < 300:
        return Answer(ACCEPTED)
    if status == 413:
        return Answer(TOO_LARGE, "413")
    if 400 <= status < 500 and status not in _NOT_NOW:
        return Answer(REFUSED, f"{status}, see BURNISH_TOKEN" if status in (401, 403) else str(status))
    reason = f"{status}, redirects are not followed" if 300 <= status < 400 else str(status)
    return Answer(LATER, reason, _retry_after(response.headers.get("Retry-After", "")))


def _retry_after(text: str) -> float:
    """Seconds; the header is their number or a date (RFC 9110, 10.2.3). 0 where it is neither."""
    number = _SECONDS.match(text)
    if number:
        return float(number[1])
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
