"""Where windows go: the forms of ``BURNISH_OUTPUT``."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

DEFAULT_PATH = "/v1/windows"
FORMS = "a directory, a file ending in .jsonl, unix:/path/to.sock, or http(s)://host[:port][/path]"

_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::([0-9]{1,5}))?(/[!-~]*)?\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST_SOCKET_PATH = 103  # sockaddr_un holds 104 bytes on macOS and the BSDs, 108 on Linux, with the final zero


class Address(NamedTuple):
    """One place for windows. ``kind`` is ``directory``, ``file``, ``unix``, ``http`` or ``https``.

    ``path`` is an absolute path, or the path of the URL; ``host`` and ``port`` are those of a URL.
    """

    kind: str
    path: str
    host: str = ""
    port: int = 0

    @property
    def remote(self) -> bool:
        """Whether somebody takes the windows and answers for them, so that they are kept until he does."""
        return self.kind in ("unix", "http", "https")

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.path}"
        if not self.remote:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}{self.path}"


def parse_address(text: str, root: str) -> Address:
    """Read one of the forms; paths are relative to ``root``. Raises ValueError that says what is wrong."""
    text = text.strip()
    if text.startswith("unix:"):
        return _unix(text, root)
    if _SCHEME.match(text):
        return _url(text)
    path = os.path.abspath(os.path.join(root, text))
    return Address("file" if path.endswith(".jsonl") and not os.path.isdir(path) else "directory", path)


def _unix(text: str, root: str) -> Address:
    path = re.sub(r"\A//(?=/)", "", text[len("unix:") :])
    if not path:
        raise ValueError("the path of the socket is missing (unix:/path/to.sock)")
    path = os.path.abspath(os.path.join(root, path))
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise ValueError(f"the path of a socket may have {_LONGEST_SOCKET_PATH} bytes at most")
    return Address("unix", path)


def _url(text: str) -> Address:
    if "@" in text.split("/", 3)[2]:
        raise ValueError("a URL may not hold a user or password; set BURNISH_TOKEN")
    match = _URL.match(text)
    if match is None:
        raise ValueError(f"it is not {FORMS}")
    scheme, host, port, path = match.groups()
    number = int(port) if port else {"http": 80, "https": 443}[scheme]
    if not 0 < number < 65536:
        raise ValueError(f"{number} is not the number of a port")
    return Address(scheme, path if path and path != "/" else DEFAULT_PATH, host.strip("[]"), number)
