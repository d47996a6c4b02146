"""The rows of one window as bytes: column by column, each as narrow as its largest value, and then deflated.

Columns of one kind of number deflate far better than rows of many, and are made and read by a few loops in C. This is
what a window is kept as until it has been added up and its detail is old; nothing looks into it but this file.
"""

from __future__ import annotations

import json
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

from burnish_tools.runtime.sqlite.rows import TABLES, Counter, Detail, Distribution, Flat, Table

_VERSION = 1
_LEVEL = 1
_NUMBERS = 7
"""Of a distribution, before its counts."""
_COLUMN = struct.Struct("<cI")
_NARROW_FIRST = "BHIQq"


def encoded(detail: Detail) -> bytes:
    """The rows as bytes."""
    out, texts = _Writer(), dict[str, int]()
    for table in TABLES:
        _write(out, table, detail.get(table.name, ()), texts)
    names = json.dumps(list(texts), separators=(",", ":")).encode()
    return bytes((_VERSION,)) + zlib.compress(struct.pack("<I", len(names)) + names + b"".join(out.parts), _LEVEL)


def decoded(blob: bytes) -> Iterator[tuple[Table, list[Flat]]]:
    """The rows, table by table."""
    data = zlib.decompress(memoryview(blob)[1:])
    (length,) = struct.unpack_from("<I", data)
    reader, texts = _Reader(data, 4 + length), json.loads(data[4 : 4 + length])
    for table in TABLES:
        yield table, _read(reader, table, texts)


def _write(out: _Writer, table: Table, rows: Sequence[Flat], texts: dict[str, int]) -> None:
    out.column([len(rows)])
    if not rows:
        return
    keys, numbers, all_counters, all_distributions = zip(*rows, strict=True)
    for column in (*zip(*keys, strict=True), *zip(*numbers, strict=True)):
        out.column(column)
    for counters in zip(*all_counters, strict=True):
        out.column([len(counter) for counter in counters])
        out.column([texts.setdefault(name, len(texts)) for counter in counters for name in counter])
        out.column([n for counter in counters for n in counter.values()])
    for distributions in zip(*all_distributions, strict=True):
        *columns, counts = zip(*distributions, strict=True)
        for column in columns:
            out.column(column)
        out.column(list(map(len, counts)))
        out.column(list(chain.from_iterable(counts)))


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
        packed = _packed(values)
        self.parts += (_COLUMN.pack(packed.typecode.encode(), len(packed)), packed.tobytes())


def _packed(values: Sequence[Any]) -> array[Any]:
    """The narrowest array that takes them; what is too large for one raises there, which costs no look at the rest."""
    for code in _NARROW_FIRST:
        try:
            return array(code, values)
        except OverflowError:
            continue
        except TypeError:  # floats
            whole = list(map(int, values))
            return _packed(whole) if whole == list(values) else array("d", values)
    return array("d", values)


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
