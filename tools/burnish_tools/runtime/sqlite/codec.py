"""The rows of one window as bytes: column by column, each as narrow as its largest value.

Columns of one kind of number deflate far better than rows of many, and are made and read by a few loops in C. A window
is taken in as it is (`waiting`), with what was looked at beside it, and deflated when it has been added up (`settled`):
so it is kept until its detail is old. Nothing looks into it but this file.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import msgspec
from msgspec.structs import astuple

from burnish_tools.runtime.bounded import Distribution as Sent
from burnish_tools.runtime.sqlite.rows import TABLES, Columns, Counter, Detail, Distribution, Flat, Table

_DEFLATED, _PLAIN = 1, 2
_WAITING = struct.Struct("<BI")
"""Form, and the length of what was looked at."""
_LEVEL = 1
_NUMBERS = 7
"""Of a distribution, before its counts."""
_COLUMN = struct.Struct("<cI")
_WIDER = "HIQq"
"""Than a byte: the narrowest first."""


def waiting(detail: Detail, looked: bytes) -> bytes:
    """The rows as bytes, until they are added up; `looked` is what `samples.py` makes of the same window."""
    out, texts = _Writer(), dict[str, int]()
    for table in TABLES:
        _write(out, detail[table.name], texts)
    names = msgspec.json.encode(list(texts))
    head = _WAITING.pack(_PLAIN, len(looked))
    return b"".join((head, looked, struct.pack("<I", len(names)), names, *out.parts))


def settled(blob: bytes) -> bytes:
    """The same when it has been added up, and `looked` was written where it belongs."""
    if blob[0] == _DEFLATED:
        return blob
    return bytes((_DEFLATED,)) + zlib.compress(_columns(blob), _LEVEL)


def looked(blob: bytes) -> bytes:
    """What `waiting` was given; empty where there was nothing, or it was written already."""
    if blob[0] == _DEFLATED:
        return b""
    _, length = _WAITING.unpack_from(blob)
    return blob[_WAITING.size : _WAITING.size + length]


def decoded(blob: bytes) -> Iterator[tuple[Table, list[Flat]]]:
    """The rows, table by table."""
    data = zlib.decompress(memoryview(blob)[1:]) if blob[0] == _DEFLATED else _columns(blob)
    (length,) = struct.unpack_from("<I", data)
    reader, texts = _Reader(data, 4 + length), msgspec.json.decode(data[4 : 4 + length])
    for table in TABLES:
        yield table, _read(reader, table, texts)


def _columns(blob: bytes) -> bytes:
    _, length = _WAITING.unpack_from(blob)
    return blob[_WAITING.size + length :]


def _write(out: _Writer, rows: Columns, texts: dict[str, int]) -> None:
    n = len(rows.keys[0])
    out.column((n,))
    if not n:
        return
    for column in (*rows.keys, *rows.numbers):
        out.column(column)
    for counters in rows.counters:
        out.column([len(counter) for counter in counters])
        out.column([texts.setdefault(name, len(texts)) for counter in counters for name in counter])
        out.column([n for counter in counters for n in counter.values()])
    for histograms in rows.histograms:
        _write_histograms(out, histograms)


def _write_histograms(out: _Writer, sent: Sequence[Sent]) -> None:
    """As `Distribution` of `rows.py` has them, and how many counts each has."""
    scales, ns, totals, lows, highs, zeros, offsets, counts = zip(*map(astuple, sent), strict=True)
    for column in (scales, ns, totals, _known(lows), _known(highs), zeros, offsets):
        out.column(column)
    out.column(list(map(len, counts)))
    out.column(list(chain.from_iterable(counts)))


def _known(ends: Sequence[float | None]) -> Sequence[float]:
    return [-1 if end is None else end for end in ends]


def _read(reader: _Reader, table: Table, texts: Sequence[str]) -> list[Flat]:
    (n,) = reader.column()
    if not n:
        return []
    keys = zip(*(reader.column() for _ in table.keys), strict=True)
    numbers = zip(*(reader.column() for _ in table.numbers), strict=True)
    counters = zip(*(_counters(reader, texts) for _ in table.counters), strict=True) if table.counters else [()] * n
    found = zip(*(_distributions(reader) for _ in table.histograms), strict=True) if table.histograms else [()] * n
    return list(zip(keys, numbers, counters, found, strict=True))


def _counters(reader: _Reader, texts: Sequence[str]) -> Iterator[Counter]:
    lengths, names, counts = reader.column(), reader.column(), reader.column()
    pairs = zip((texts[name] for name in names), counts, strict=True)
    return (dict(next(pairs) for _ in range(length)) if length else {} for length in lengths)


def _distributions(reader: _Reader) -> Iterator[Distribution]:
    numbers = [reader.column() for _ in range(_NUMBERS)]
    ends = list(accumulate(reader.column()))
    counts = array("Q", reader.column())
    slices = (counts[a:b] for a, b in zip(chain((0,), ends), ends, strict=False))
    return zip(*numbers, slices, strict=True)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def column(self, values: Sequence[float]) -> None:
        """Writes numbers: whole ones as such, in as few bytes each as the largest needs."""
        code, packed = _packed(values)
        self.parts += (_COLUMN.pack(code.encode(), len(values)), packed)


def _packed(values: Sequence[Any]) -> tuple[str, bytes]:
    """As the narrowest of `array`'s types that takes them; what is too large for one raises there, which costs no look
    at the rest. (`struct` makes the bytes of a long column in half the time of `array`, and `bytes` in a third.)"""
    try:
        return "B", bytes(values)
    except ValueError:
        pass
    except TypeError:
        return _of_floats(values)
    for code in _WIDER:
        try:
            return code, struct.pack(f"={len(values)}{code}", *values)
        except struct.error:
            continue
    return _of_floats(values)


def _of_floats(values: Sequence[Any]) -> tuple[str, bytes]:
    if any(type(value) is float for value in values):
        whole = list(map(int, values))
        if whole == list(values):
            return _packed(whole)
    return "d", struct.pack(f"={len(values)}d", *values)


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def column(self) -> Sequence[Any]:
        """The next column."""
        code, n = _COLUMN.unpack_from(self._data, self._at)
        values = array(code.decode())
        start = self._at + _COLUMN.size
        self._at = start + n * values.itemsize
        values.frombytes(self._data[start : self._at])
        return values
