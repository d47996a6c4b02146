"""Small servers on 127.0.0.1, each speaking enough of its protocol for the real client library."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
