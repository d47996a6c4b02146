"""What was looked at of functions' calls, window by window: kept as it came, and read for one function at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from burnish.conditions import Looked, Sample
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.rows import Values
from burnish_tools.runtime.clickhouse.tables import NAME, OWNER
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.looked_at import exemplars_of, looked_at

COLUMNS = {
    **OWNER,
    "function": NAME,
    "start_ns": "Int64",
    "instance": NAME,
    "sequence": "UInt64",
    "looked": "String",
    "exemplars": "String",
}
_READ = """
SELECT start_ns, looked, exemplars FROM samples FINAL
WHERE service = {service:String} AND environment = {environment:String} AND release = {release:String}
    AND function = {function:String} AND start_ns >= {since:Int64}
ORDER BY start_ns, instance, sequence
"""


def rows(window: Window) -> Iterator[Values]:
    """What a window says."""
    owner = window.service, window.environment, window.release
    at = window.start_unix_ns, window.instance, window.sequence
    for looked, exemplars in looked_at(window):
        packed = msgspec.json.encode(exemplars).decode() if exemplars else ""
        yield *owner, looked.function, *at, msgspec.json.encode(looked).decode(), packed


def read(connection: Connection, owner: dict[str, str], function: str, since_unix_ns: int) -> list[Sample]:
    """The samples of a function in one (service, environment, release), oldest first."""
    found = connection.read(_READ, {**owner, "function": function, "since": since_unix_ns})
    return [_sample(function, *row) for row in found]


def _sample(function: str, start_unix_ns: int, looked: str, packed: str) -> Sample:
    exemplars = exemplars_of(function, json.loads(packed)) if packed else ()
    return Sample(Looked.model_validate_json(looked), exemplars, start_unix_ns)
