"""Names of low cardinality without values in them: entries, functions, peers.

OpenTelemetry asks for span names of low cardinality, and many are not. What looks like a value (numbers, UUIDs, hashes,
quoted text, addresses) becomes `…`.
"""

from __future__ import annotations

import functools
import re

PSEUDO = "<otel>:"
"""Begins the name of what is no function but a span."""
NO_SPAN = f"{PSEUDO}<no span>"
"""The call site of a statement or call that no span encloses."""
OTHER = "<other>"
UNMATCHED = "<unmatched>"
UNKNOWN_PEER = "<unknown>"
LONGEST = 160
"""Characters of a name; also of a path that is read for one."""
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"])
_VALUE = re.compile(
    r"""'[^']*'? | "[^"]*"?                                          # quoted, also where the end is missing
    | \b[a-z][a-z0-9+.-]*://\S*                                     # URL
    | \S*@[\w.-]+                                                   # address
    | \b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b   # UUID
    | \b(?=[a-z_-]*\d)[0-9a-z_-]{20,}\b                             # token
    | \b(?=[a-f]*\d)[0-9a-f]{7,}\b                                  # hash
    | (?<![<{:\w])[+-]?\d(?:[\d.,:-]*\d)?(?![\w}>])                    # number, date
    | (?<=[_\-./])\d{2,}\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_QUERY = re.compile(r"(?<=[\w/}>])[?#](?=\S)\S*")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
_PEER = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][\w.-]{0,39}", re.ASCII)
_TYPE = re.compile(r"[A-Za-z_<][\w.<> -]{0,119}", re.ASCII)


@functools.lru_cache(maxsize=8192)
def scrubbed(name: str) -> str:
    """A span's name without values; `<unnamed>` where nothing is left."""
    cut = _BLANK.sub(" ", name[:LONGEST]).strip()
    return _VALUE.sub("…", _QUERY.sub("", cut)) or "<unnamed>"


@functools.lru_cache(maxsize=8192)
def route(name: str) -> str:
    """A route as it is written in the application. Parts of it that are values (no template has them) become `…`."""
    cut = _BLANK.sub(" ", name[:LONGEST]).strip()
    if cut.startswith(("http://", "https://")):
        return UNMATCHED
    parts = ("…" if _VALUE.fullmatch(part) else part for part in _QUERY.sub("", cut).split("/"))
    return "/".join(parts) if cut else UNMATCHED


def method(name: str) -> str:
    """An HTTP method, or `<method>`."""
    upper = name.upper() if len(name) <= 10 else ""
    return upper if upper in _METHODS else "<method>"


def word(name: str, otherwise: str) -> str:
    """An identifier such as the name of a database system or operation."""
    return name if _WORD.fullmatch(name) else otherwise


def error_type(name: str) -> str:
    """`ValueError`, `HTTP 503` for a status, `<error>` for what is no name of a type."""
    if name.isascii() and name.isdigit() and len(name) == 3:
        return f"HTTP {name}"
    return name if _TYPE.fullmatch(name) else "<error>"


def is_timeout(error: str) -> bool:
    """Whether an error's type says that time ran out."""
    lower = error.lower()
    return any(word in lower for word in ("timeout", "timedout", "timed_out", "deadline"))


def peer(host: str, port: int) -> str:
    """`host:port`; `unix` for a path."""
    if host.startswith("/"):
        return "unix"
    if not _PEER.fullmatch(host):
        return UNKNOWN_PEER
    return f"{host}:{port}" if 0 < port < 65536 else host


@functools.lru_cache(maxsize=4096)
def url_peer(url: str) -> str:
    """`host:port` of a URL; never its path, query or credentials."""
    found = re.match(r"(https?)://(?:[^/@\s]*@)?([^/?#\s]+)", url[:LONGEST], re.IGNORECASE)
    if found is None:
        return UNKNOWN_PEER
    host, _, port = found[2].rpartition(":") if re.search(r":\d+$", found[2]) else (found[2], "", "")
    return peer(host, int(port) if port else 443 if found[1].lower() == "https" else 80)


@functools.lru_cache(maxsize=8192)
def function(qualified: str, path: str) -> tuple[str, str] | None:
    """`module:Qualified.name` and the file below the application's root, from a dotted name and a path.

    The name alone does not tell where the module ends. The path does: it ends in the module. Without one, the module
    ends before the first part that begins with a capital, as classes do, or else before the last part. The file of a
    module that is not in the path is not told: it would be a place on one machine. None where there is no module.
    """
    if len(qualified) > LONGEST or not re.fullmatch(r"[\w.:<>]+", qualified):
        return None
    if ":" in qualified:
        module, _, name = qualified.partition(":")
        return (qualified, _file(module, path)) if module and name else None
    parts = qualified.partition(".<locals>")[0].split(".")
    if len(parts) < 2 or not all(parts):
        return None
    ends = [n for n in range(len(parts) - 1, 0, -1) if _file(".".join(parts[:n]), path)]
    capital = next((n for n, part in enumerate(parts) if n and part[0].isupper()), len(parts) - 1)
    module = ".".join(parts[: ends[0] if ends else capital])
    return f"{module}:{qualified[len(module) + 1 :]}", _file(module, path)


def _file(module: str, path: str) -> str:
    path = path.replace("\\", "/")
    stem = module.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        if path == tail or path.endswith(f"/{tail}"):
            return tail
    return ""
