"""What was looked at of functions' calls, window by window: kept as it came, and read for one function at a time."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence

from pydantic_core import from_json

from burnish.conditions import Looked, Sample
from burnish_tools.runtime.format import Definition, ExemplarRow, Window
from burnish_tools.runtime.looked_at import exemplars_of, looked_at
from burnish_tools.runtime.sqlite.names import Names


def write(db: sqlite3.Connection, number: int, window: Window, names: Names) -> None:
    """Writes what a window says; its `number` tells it from others that began at the same time."""
    if not window.conditions and not window.exemplars:
        return
    owner = names.owner(window.service, window.environment, window.release)
    db.executemany(
        "INSERT OR REPLACE INTO samples (owner_id, function_id, start_unix_ns, number, looked, exemplars)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                owner,
                names.function(looked.function, window.functions.get(looked.function, Definition())),
                window.start_unix_ns,
                number,
                looked.model_dump_json(exclude_defaults=True),
                _packed(exemplars),
            )
            for looked, exemplars in looked_at(window)
        ),
    )


def _packed(exemplars: Sequence[ExemplarRow]) -> bytes:
    rows = [row.model_dump(exclude={"function"}, exclude_defaults=True) for row in exemplars]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1) if rows else b""


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
