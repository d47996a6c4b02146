"""What was looked at of functions' calls, window by window: kept as it came, and read for one function at a time.

It waits beside the window's rows (`noted`), and is written by function when they are added up.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping

import msgspec
from pydantic_core import from_json

from burnish.conditions import Looked, Sample
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.looked_at import exemplars_of, looked_at

_WINDOW_BITS, _MEMORY = 12, 4
"""Of zlib: some exemplars are a few hundred bytes, and to make ready its usual 256 kB costs ten times what they do."""


Owner = tuple[str, str, str]
"""service, environment, release"""


def noted(window: Window, functions: Mapping[str, int]) -> bytes:
    """What a window says, for `write`; `functions` has their numbers."""
    if not window.conditions and not window.exemplars:
        return b""
    rows = [(functions[looked.function], looked, exemplars) for looked, exemplars in looked_at(window)]
    return msgspec.json.encode(rows)


def write(db: sqlite3.Connection, number: int, owner: Owner, start_unix_ns: int, noted: bytes) -> None:
    """Writes what windows said; the `number` tells one from others that began at the same time."""
    if not noted:
        return
    db.execute("INSERT OR IGNORE INTO owners (service, environment, release) VALUES (?, ?, ?)", owner)
    db.executemany(
        "INSERT OR REPLACE INTO samples (owner_id, function_id, start_unix_ns, number, looked, exemplars)"
        " SELECT id, ?, ?, ?, ?, ? FROM owners WHERE service = ? AND environment = ? AND release = ?",
        (
            (function, start_unix_ns, number, bytes(looked).decode(), _packed(exemplars), *owner)
            for function, looked, exemplars in _NOTED.decode(noted)
        ),
    )


_NOTED = msgspec.json.Decoder(list[tuple[int, msgspec.Raw, msgspec.Raw]])


def _packed(exemplars: msgspec.Raw) -> bytes:
    """Deflated; nothing where there are none."""
    if bytes(exemplars) == b"[]":
        return b""
    deflate = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY)
    return deflate.compress(exemplars) + deflate.flush()


def read(db: sqlite3.Connection, owner: tuple[str, str, str], function: str, since_unix_ns: int) -> list[Sample]:
    """The samples of a function in one (service, environment, release), oldest first."""
    found = db.execute(_READ, (function, *owner, since_unix_ns))
    return [_sample(function, *row) for row in found]


def _sample(function: str, start_unix_ns: int, looked: str, packed: bytes) -> Sample:
    exemplars = exemplars_of(function, from_json(zlib.decompress(packed))) if packed else ()
    return Sample(Looked.model_validate_json(looked), exemplars, start_unix_ns)


_READ = """
SELECT e.start_unix_ns, e.looked, e.exemplars
FROM functions f
JOIN samples e ON e.function_id = f.id
JOIN owners o ON o.id = e.owner_id
WHERE f.name = ? AND o.service = ? AND o.environment = ? AND o.release = ? AND e.start_unix_ns >= ?
ORDER BY e.start_unix_ns, e.number
"""
