"""Taking windows in, each once.

ClickHouse has no transactions over tables and no unique keys. A batch of windows is taken in by these steps:

1. what `windows` has already is left out: `(service, instance, sequence)` counts once;
2. the batch is noted in `batches` as it came, in one insert of one row, which is there as a whole or not at all;
3. code, statements, samples, and the rows that add up are written, each insert with a token made from the windows'
   names: of an insert with a token that a table has seen (`non_replicated_deduplication_window`, the newest 10,000
   blocks) nothing is written again, partition by partition;
4. the windows are noted in `windows`, and the batch as done.

Whoever is killed in between leaves a noted batch that is not done. The next one that opens the store, or the next batch
of the same store after an error, does its steps again, with the same windows and so the same tokens: what was
written is not written twice. Guaranteed, for collectors that each get the windows of other instances, is therefore: a
window for which `add` returned is there, and everything in it is counted once, wherever collector or server was killed.

Not guaranteed: two collectors that get *the same* window in the same moment both find it new, and its rows are counted
twice (the window itself is not). So keep the windows of one instance with one collector (by its host or a
sticky balancer). Where more than 10,000 blocks were written to a table between a crash and the repeat, the tokens are
forgotten. And as ClickHouse does not force its files to the disk by default (`fsync_after_insert`), a server that loses
its power may lose what it took in last; replicas or that setting help.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from burnish.errors import DataError
from burnish_tools.runtime import limits
from burnish_tools.runtime.clickhouse import samples
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.definitions import Definitions
from burnish_tools.runtime.clickhouse.names import Names
from burnish_tools.runtime.clickhouse.rows import Rows, Values, in_columns
from burnish_tools.runtime.clickhouse.tables import COUNTER, NAME, OWNER, POINTS, TABLES
from burnish_tools.runtime.format import Window, line_of, parse
from burnish_tools.runtime.store import Taken

BLOCK = 50_000
"""Rows of one insert: bounds what the server holds of it."""
ASKED = 1_000
"""Windows that are looked up at once."""
Id = tuple[str, str, int]
"""service, instance, sequence"""

_BATCH = {"token": "String", "at_ns": "Int64", "done": "UInt8", "windows": "String"}
_WINDOW = {
    **OWNER,
    "instance": NAME,
    "sequence": "UInt64",
    "start_ns": "Int64",
    "end_ns": "Int64",
    "python": NAME,
    "dropped": COUNTER,
}
_KNOWN = """
SELECT service, instance, sequence FROM windows
WHERE service IN {services:Array(String)} AND instance IN {instances:Array(String)}
    AND sequence >= {first:UInt64} AND sequence <= {last:UInt64}
"""
_OPEN = "SELECT token, at_ns, base64Encode(windows) FROM batches FINAL WHERE NOT done ORDER BY at_ns"


class Ingest:
    """Writes into one database. Not for several threads at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._names = connection, Names()
        self._definitions = Definitions(connection)
        self._behind = True

    def take(self, windows: Sequence[Window], now: float) -> Taken:
        """Takes windows in (`now` in seconds since 1970). Where it raises, it is not known whether they are in: send
        them again."""
        self.catch_up()
        refused = Counter[str]()
        sound = list(_sound(windows, now, self._horizon(), refused))
        fresh = {_id(window): window for window in sound}
        for known in self._known(list(fresh.values())):
            fresh.pop(known, None)
        if fresh:
            self._write(list(fresh.values()), int(time.time() * 1e9))
        return Taken(len(fresh), len(sound) - len(fresh), dict(sorted(refused.items())))

    def catch_up(self) -> None:
        """Ends batches that were left in the midst, by this process or one before."""
        if self._behind:
            self._definitions.forget()
            for token, at_ns, packed in self._connection.read(_OPEN):
                self._fan_out(_unpacked(packed), token, at_ns)
            self._behind = False

    def _horizon(self) -> int:
        ((horizon,),) = self._connection.read("SELECT max(unix_ns) FROM horizon WHERE name = 'windows'")
        return int(horizon)

    def _known(self, windows: Sequence[Window]) -> Iterator[Id]:
        for i in range(0, len(windows), ASKED):
            some = windows[i : i + ASKED]
            sequences = [window.sequence for window in some]
            values = {
                "services": sorted({window.service for window in some}),
                "instances": sorted({window.instance for window in some}),
                "first": min(sequences),
                "last": max(sequences),
            }
            yield from ((service, instance, n) for service, instance, n in self._connection.read(_KNOWN, values))

    def _write(self, windows: Sequence[Window], at_ns: int) -> None:
        token = _token(windows)
        self._behind = True
        self._connection.insert("batches", _BATCH, [(token, at_ns, 0, _packed(windows))])
        self._fan_out(windows, token, at_ns)
        self._behind = False

    def _fan_out(self, windows: Sequence[Window], token: str, at_ns: int) -> None:
        """Steps 3 and 4: may be done again."""
        rows, noted = list[Rows](), list[Values]()
        for window in windows:
            one = Rows(window, self._names)
            rows.append(one)
            noted.append(_noted(window, Counter(window.sensor.dropped) + self._names.dropped))
        self._definitions.write(windows, rows)
        self._connection.insert("samples", samples.COLUMNS, [row for window in windows for row in samples.rows(window)])
        together = in_columns(rows)
        for table in (*TABLES, POINTS):
            values = together.get(table.name, [])
            for i in range(0, len(values), BLOCK):
                part = f"{token}-{i}"
                self._connection.insert(f"{table.name}_in", table.incoming, values[i : i + BLOCK], part)
        self._connection.insert("windows", _WINDOW, noted)
        self._connection.insert("batches", _BATCH, [(token, at_ns, 1, b"")])


def _sound(windows: Sequence[Window], now: float, horizon: int, refused: Counter[str]) -> Iterator[Window]:
    for window in windows:
        try:
            limits.in_time(window.start_unix_ns, now, horizon)
        except DataError as error:
            refused[str(error)] += 1
        else:
            yield window


def _id(window: Window) -> Id:
    return window.service, window.instance, window.sequence


def _token(windows: Sequence[Window]) -> str:
    return hashlib.sha256(json.dumps([_id(window) for window in windows]).encode()).hexdigest()[:32]


def _noted(window: Window, dropped: Mapping[str, int]) -> Values:
    owner = window.service, window.environment, window.release
    when = window.start_unix_ns, window.end_unix_ns
    return *owner, window.instance, window.sequence, *when, window.python, {k: n for k, n in dropped.items() if n > 0}


def _packed(windows: Sequence[Window]) -> bytes:
    return zlib.compress(b"\n".join(map(line_of, windows)), 1)


def _unpacked(packed: str) -> list[Window]:
    return [parse(line) for line in zlib.decompress(base64.b64decode(packed)).split(b"\n")]
