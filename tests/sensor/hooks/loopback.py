"""Small servers on 127.0.0.1, each speaking enough of its protocol for the real client library."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

Handler = Callable[[socket.socket], None]


@contextmanager
def listening(handler: Handler) -> Iterator[int]:
    """A port on which each connection is given to ``handler`` in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, handler), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket, handler: Handler) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:  # closed: the test is over
            return
        threading.Thread(target=_serve, args=(connection, handler), daemon=True).start()


def _serve(connection: socket.socket, handler: Handler) -> None:
    with connection:
        connection.settimeout(20)
        with suppress(OSError):
            handler(connection)


def mysql(connection: socket.socket) -> None:
    """``… LIMIT n`` returns n rows of one column, ``… missing`` is an error 1146, anything else is done."""
    salt = b"12345678"
    greeting = b"\x0a8.0.0\x00" + struct.pack("<I", 1) + salt + b"\x00" + struct.pack("<H", 0x8208) + b"\x21"
    greeting += struct.pack("<HHB", 2, 0x8, 21) + bytes(10) + b"123456789012\x00mysql_native_password\x00"
    _send_packet(connection, 0, greeting)
    _read_packet(connection)
    _send_packet(connection, 2, _OK)
    while True:
        command = _read_packet(connection)
        if command[:1] != b"\x03":
            return
        _answer_query(connection, command[1:].decode())


_OK = b"\x00\x00\x00\x02\x00\x00\x00"
_EOF = b"\xfe\x00\x00\x02\x00"


def _answer_query(connection: socket.socket, query: str) -> None:
    limit = re.search(r"LIMIT (\d+)", query)
    if "missing" in query:
        _send_packet(connection, 1, b"\xff" + struct.pack("<H", 1146) + b"#42S02no such table")
    elif limit is None:
        _send_packet(connection, 1, _OK)
    else:
        column = b"\x03def\x00\x00\x00\x01x\x00\x0c" + struct.pack("<HIBHB", 33, 4, 0xFD, 0, 0) + b"\x00\x00"
        rows = [b"\x01" + str(number % 10).encode() for number in range(int(limit.group(1)))]
        for sequence, payload in enumerate([b"\x01", column, _EOF, *rows, _EOF], 1):
            _send_packet(connection, sequence, payload)


def _send_packet(connection: socket.socket, sequence: int, payload: bytes) -> None:
    connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload)


def _read_packet(connection: socket.socket) -> bytes:
    header = _read(connection, 4)
    return _read(connection, int.from_bytes(header[:3], "little"))


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


class Pages(BaseHTTPRequestHandler):
    """``/ok``, ``/error`` (500), ``/redirect`` (to /ok), ``/slow`` (answers after a second), ``/flaky`` (503 twice)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/slow":
            time.sleep(1)
        status = {"/error": 500, "/redirect": 302}.get(path, 200)
        if path == "/flaky":
            status = next(self.server.failures, 200)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", "2")
        if status == 302:
            self.send_header("Location", "/ok")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def pages() -> Iterator[str]:
    """The address of a web server, ``127.0.0.1:port``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.failures = iter([503, 503])  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def redis(connection: socket.socket, failures: Iterator[int] | None = None) -> None:
    """GET (nothing there), SET, MULTI … EXEC, ``BLPOP`` (never answers); anything else is an unknown command.

    At a GET for which ``failures`` holds a 1 the connection is closed.
    """
    stream, nothing = connection.makefile("rb"), b"$-1\r\n"
    while True:
        count = stream.readline()
        if not count.startswith(b"*"):
            return
        words = [_bulk(stream) for _ in range(int(count[1:]))]
        if words[0].upper() == b"GET" and failures is not None and next(failures, 0):
            return
        if words[0].upper() == b"BLPOP":
            time.sleep(1)
        if words[0].upper() == b"HELLO":
            nothing = b"_\r\n"  # the client reads protocol 3
        reply = nothing if words[0].upper() == b"GET" else _REPLIES.get(words[0].upper(), b"-ERR unknown command\r\n")
        connection.sendall(reply)


_REPLIES = {
    b"SET": b"+OK\r\n",
    b"CLIENT": b"+OK\r\n",
    b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
}


def _bulk(stream: BinaryIO) -> bytes:
    length = int(stream.readline()[1:])
    return stream.read(length + 2)[:-2]


def memcached(connection: socket.socket) -> None:
    """``get`` finds nothing, ``set`` stores, ``delete`` deletes; anything else is an error."""
    stream = connection.makefile("rb")
    for line in stream:
        word = line.split()[0]
        if word == b"set":
            stream.readline()
        connection.sendall({b"get": b"END", b"set": b"STORED", b"delete": b"DELETED"}.get(word, b"ERROR") + b"\r\n")
