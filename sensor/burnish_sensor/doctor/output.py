"""Whether windows would arrive: a directory is written to, a collector is asked, a socket is connected to."""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
from urllib.parse import urlsplit

from .findings import Finding

_PATIENCE_S = 3.0


def examine_output(output: str) -> Finding:
    """``output`` is a directory or file, ``http://…``, ``https://…`` or ``unix:…``."""
    try:
        if output.startswith(("http://", "https://")):
            return Finding("output", f"{output} ({_ask(output)})")
        if output.startswith("unix:"):
            _connect(output[len("unix:") :].replace("//", "/"))
            return Finding("output", f"{output} (listening)")
        return Finding("output", f"{output} ({_write(output)})")
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Finding("output", output, f"{_trouble(output)}: {reason}; start it, or set BURNISH_OUTPUT")


def _trouble(output: str) -> str:
    return "cannot be reached" if output.startswith(("http", "unix:")) else "not writable"


def _ask(url: str) -> str:
    """Any answer below 500 will do: a collector need not know OPTIONS."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_S)
    try:
        connection.request("OPTIONS", parts.path or "/")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status in (401, 403) or status >= 500:
        raise ValueError(f"it answers {status}")
    return "reachable"


def _connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE_S)
        connection.connect(path)


def _write(path: str) -> str:
    """Write where the windows will be; where that folder is not there yet, see whether one can be made."""
    if path.endswith(".jsonl"):
        path = os.path.dirname(path)
    folder = path
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        if os.path.exists(folder):
            raise NotADirectoryError(20, f"{folder} is not a directory")
        folder = os.path.dirname(folder)
    if folder != path:
        os.rmdir(tempfile.mkdtemp(dir=folder))
        return "will be made"
    with tempfile.TemporaryFile(dir=folder) as stream:
        stream.write(b"\n")
    return "writable"
