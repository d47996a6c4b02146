"""Calls to other services: which function and line asked whom for what, how long it took, how it ended.

A peer is a host and port, never a path, query, key or credential; an operation is an HTTP method or a command name from
a small alphabet, so that neither can carry a value.
"""

from __future__ import annotations

import re
from typing import Any

from ..recording.calls import Calls
from .log import Site

OTHER_PEER = "<other>"
UNKNOWN_PEER = "<unknown>"
_LONGEST_PEER = 255
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_COMMAND = re.compile(r"[A-Z][A-Z0-9_.\-]{0,30}")

#: (kind, peer, operation)
Endpoint = tuple[str, str, str]


class Dependency:
    """One call of another service that took ``wall`` ns."""

    __slots__ = ("error", "key", "retries", "timed_out", "wall")

    def __init__(self, key: tuple[Endpoint, Site], wall: int, error: str | None, timed_out: bool, retries: int) -> None:
        self.key, self.wall, self.error, self.timed_out, self.retries = key, wall, error, timed_out, retries


class DependencyLog:
    """What the hooks of clients call. Beyond ``capacity`` a new endpoint is that of the peer ``<other>``."""

    def __init__(self, recorder: Calls, capacity: int = 1_000) -> None:
        self._recorder, self._capacity = recorder, capacity
        self._endpoints: set[Endpoint] = set()
        #: how many calls went to ``<other>``
        self.dropped = 0

    def called(self, endpoint: Endpoint, site: Site, wall: int, failure: Failure) -> None:
        """Record a call made at ``site``."""
        key = (self._bounded(endpoint), site)
        call = Dependency(key, wall, failure.name, failure.timed_out, failure.retries)
        self._recorder.context().depended(call)

    def _bounded(self, endpoint: Endpoint) -> Endpoint:
        if endpoint in self._endpoints:
            return endpoint
        if len(self._endpoints) >= self._capacity:
            self.dropped += 1
            return endpoint[0], OTHER_PEER, endpoint[2]
        self._endpoints.add(endpoint)
        return endpoint


class Failure:
    """How a call ended: an exception, an HTTP status of 500 or more, or neither."""

    __slots__ = ("name", "retries", "timed_out")

    def __init__(self, error: BaseException | None, status: int | None, retries: int) -> None:
        self.name = type(error).__name__ if error is not None else None
        if error is None and status is not None and status >= 500:
            self.name = f"HTTP {status}"
        self.timed_out = _is_timeout(error) or _is_timeout(getattr(error, "reason", None))
        self.retries = retries


def _is_timeout(error: Any) -> bool:
    """By name: each library has classes of its own. urllib3's refused connections are a kind of timeout to it only."""
    names = [kind.__name__ for kind in type(error).__mro__] if isinstance(error, BaseException) else []
    return "NewConnectionError" not in names and any("timeout" in name.lower() for name in names)


def peer_of(host: Any, port: Any = None) -> str:
    """``host:port``; a host that holds anything else than a name or address is not written."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    text = str(host or "").strip("[]").lower()
    if not text or len(text) > _LONGEST_PEER or not re.fullmatch(r"[\w.:%*-]+", text):
        return UNKNOWN_PEER
    name = f"[{text}]" if ":" in text else text
    return f"{name}:{port}" if isinstance(port, int) else name


def method_of(method: Any) -> str:
    """An HTTP method of the standard, else ``<method>``."""
    text = str(method).upper()
    return text if text in _METHODS else "<method>"


def command_of(command: Any) -> str:
    """The first word of a command in capitals, else ``<command>``."""
    if isinstance(command, (bytes, bytearray)):
        command = command.decode("ascii", "replace")
    word = str(command).partition(" ")[0].upper()
    return word if _COMMAND.fullmatch(word) else "<command>"
