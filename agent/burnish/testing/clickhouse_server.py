"""ClickHouse's HTTP interface over its engine in this process (`chdb`), for tests of what a real client sends.

`python -m burnish.testing.clickhouse_server DIRECTORY [PASSWORD]` prints its port on 127.0.0.1 and serves until its
input ends. A process of its own, as the engine opens one directory in a process. The engine does the work; here are
only parameters, settings, the body of an insert and errors, as in ClickHouse's documentation of its HTTP interface.
"""

from __future__ import annotations

import email.parser
import email.policy
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

START_SECONDS = 60
OWN = {
    "query", "database", "user", "password", "query_id", "session_id", "default_format", "wait_end_of_query",
    "client_protocol_version", "enable_http_compression", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "compress", "decompress", "buffer_size",
}  # fmt: skip
"""Parameters of the transport; all others are settings of the query, or `param_…`."""
_INSERT = re.compile(rb"^\s*INSERT\s.*?\bFORMAT\s+(\w+)\s*?\n", re.I | re.S)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.I)
_WRONG_PASSWORD = "Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)"


@contextmanager
def clickhouse_server(directory: Path, password: str = "") -> Iterator[int]:
    """A server of its own process; gives its port."""
    command = [sys.executable, "-m", __name__, str(directory), password]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(START_SECONDS)


class Engine:
    """Runs statements, one at a time: a handle of the engine has one database and one set of settings."""

    def __init__(self, directory: str) -> None:
        import chdb

        self._connect: Callable[[str], Any] = getattr(chdb, "connect")  # noqa: B009 - it is untyped
        self._directory = directory
        self._open = self._connect(directory)
        self._lock = threading.Lock()

    def run(self, text: bytes, asked: dict[str, str]) -> tuple[bytes, str]:
        """The answer's bytes and their format. Raises RuntimeError with ClickHouse's message."""
        values = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        with self._lock, tempfile.NamedTemporaryFile(suffix=".data") as data:
            connection = self._connect(self._directory)
            try:
                if asked.get("database"):
                    connection.query(f"USE {asked['database']}")
                for name, value in asked.items():
                    if name not in OWN and not name.startswith("param_"):
                        connection.query(f"SET {name} = '{value}'")
                insert = _INSERT.match(text)
                if insert:
                    data.write(text[insert.end() :])
                    data.flush()
                    head = insert.group().rstrip().decode().rpartition("FORMAT")[0]
                    text = f"{head} FROM INFILE '{data.name}' FORMAT {insert[1].decode()}".encode()
                query = text.decode()
                written = _FORMAT.search(query)
                form = written[1] if written else asked.get("default_format", "TabSeparated")
                return connection.query(query, form, params=values).bytes(), form
            finally:
                connection.close()


class Handler(BaseHTTPRequestHandler):
    """One request: a query in the URL, in the body or in a form, and what it inserts."""

    protocol_version = "HTTP/1.1"
    engine: Engine
    password: str

    def do_GET(self) -> None:
        """A query in the URL, or a ping."""
        self._answer()

    def do_POST(self) -> None:
        """A query or its data in the body."""
        self._answer()

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""

    def _answer(self) -> None:
        asked, body = self._asked()
        try:
            if (self._password() or "") != self.password:
                raise RuntimeError(_WRONG_PASSWORD)
            query = asked.get("query", "").encode()
            text = query + b"\n" + body if query and body else query or body
            answer, form = self.engine.run(text, asked)
            self._send(200, answer, form)
        except Exception as error:  # noqa: BLE001 - the engine's errors are of several types; each is an answer
            message = str(error)
            found = re.search(r"Code: (\d+)", message)
            code = found[1] if found else "1002"
            self._send(403 if code == "516" else 500, message.encode(), "TabSeparated", code)

    def _password(self) -> str:
        given = self.headers.get("X-ClickHouse-Key")
        if given is None and self.headers.get("Authorization", "").startswith("Basic "):
            import base64

            given = base64.b64decode(self.headers["Authorization"][6:]).decode().partition(":")[2]
        return given or ""

    def _asked(self) -> tuple[dict[str, str], bytes]:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return asked, body
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        for part in form.iter_parts():
            name = part.get_param("name", header="content-disposition")
            asked[str(name)] = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        return asked, b""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return body if self.headers.get("Content-Encoding") is None else self._unpacked(body)

    @staticmethod
    def _unpacked(body: bytes) -> bytes:
        import lz4.frame  # type: ignore[import-untyped]

        return bytes(lz4.frame.decompress(body))

    def _send(self, status: int, body: bytes, form: str, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Summary", "{}")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)


def main(directory: str, password: str = "") -> None:
    """Serves until the input ends."""
    handler = type("OwnHandler", (Handler,), {"engine": Engine(directory), "password": password})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
