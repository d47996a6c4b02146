"""OTLP that was accepted and is not windows in the store yet: what a killed collector reads again.

Spans of one minute become windows only when the minute is over, and a client is not kept waiting for so long. So each
body is first written here as it came; it is with the system then, and survives the death of the process (that of the
machine it survives where the file system does not lose the last seconds).

The file begins with the time at which it was begun. A record is `head, body`; the head says signal, encoding, time of
arrival and length, and a checksum tells a torn last one.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from burnish.errors import DataError

_BEGIN = struct.Struct("<4sq")
_MARK = struct.Struct("<4sI")
"""magic, checksum of what follows"""
_HEAD = struct.Struct("<IqBB")
"""length of the body, Unix ns, signal and encoding by number"""
_MAGIC = b"BJ01"
_SIGNALS = ("traces", "metrics")
_ENCODINGS = ("identity", "gzip", "deflate")


@dataclass(frozen=True)
class Entry:
    """One body as it came."""

    signal: str
    json: bool
    encoding: str
    unix_ns: int
    body: bytes


class Journal:
    """A file that grows, is read again once after a crash, and is begun anew. One thread uses it."""

    def __init__(self, path: Path) -> None:
        """Opens or makes it. Raises DataError where that is not possible."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; choose another collector.directory") from error

    @property
    def size(self) -> int:
        """Bytes of records."""
        return max(0, self._file.tell() - _BEGIN.size)

    @property
    def begun_unix_ns(self) -> int | None:
        """When it was begun; None where there is nothing to read again."""
        with self.path.open("rb") as file:
            begin = file.read(_BEGIN.size)
        if len(begin) < _BEGIN.size or not begin.startswith(_MAGIC):
            return None
        return int(_BEGIN.unpack(begin)[1])

    def append(self, entry: Entry) -> None:
        """Writes a record, or (OSError) nothing."""
        flags = _SIGNALS.index(entry.signal) << 1 | entry.json
        where = _ENCODINGS.index(entry.encoding)
        head = _HEAD.pack(len(entry.body), entry.unix_ns, flags, where)
        mark = _MARK.pack(_MAGIC, zlib.crc32(entry.body, zlib.crc32(head)))
        before, record = self._file.tell(), mark + head + entry.body
        try:
            view = memoryview(record)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            os.ftruncate(self._file.fileno(), before)
            self._file.seek(before)
            raise

    def entries(self) -> Iterator[Entry]:
        """All records in order, up to one that is torn."""
        with self.path.open("rb") as file:
            file.seek(_BEGIN.size)
            left = os.fstat(file.fileno()).st_size - _BEGIN.size
            while (left := left - _MARK.size - _HEAD.size) >= 0:
                magic, checksum = _MARK.unpack(file.read(_MARK.size))
                head = file.read(_HEAD.size)
                length, unix_ns, flags, where = _HEAD.unpack(head)
                left -= length
                if magic != _MAGIC or left < 0:
                    return
                body = file.read(length)
                if zlib.crc32(body, zlib.crc32(head)) != checksum:
                    return
                yield Entry(_SIGNALS[flags >> 1], bool(flags & 1), _ENCODINGS[where], unix_ns, body)

    def restart(self, unix_ns: int) -> None:
        """Everything in it is in the store: begins anew. Raises OSError."""
        os.ftruncate(self._file.fileno(), 0)
        self._file.seek(0)
        self._file.write(_BEGIN.pack(_MAGIC, unix_ns))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
