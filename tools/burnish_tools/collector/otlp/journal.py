"""What was accepted and is not yet stored, in files, so that an answer of 200 survives `kill -9`.

Lines of JSON in segments that are only appended to; a last line without `\\n` was never acknowledged. A line is

    {"source", "spans", "statements"}         spans of a request (already normalised: nothing raw is written)
    {"windows", "taken"}                      windows that were made, with their spans; written before they are stored
    {"windows", "streams"}                    the same of metrics: windows with the new last points of their series
    {"streams", "since"}                      all last points, at the beginning of a segment

After a start, windows are given to the store again (which knows them by instance and sequence), and the spans that
are in none of them put together anew. A segment is deleted when all its spans are in stored windows, and so are those
of all before it. Nothing is forced to the disk (fsync): this is for processes that die, not for machines.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from burnish.errors import DataError

SEGMENT_BYTES = 8_000_000
"""Small enough that little is read again after a start, large enough that files are few."""
_NAME = re.compile(r"otlp-(\d{12})\.jsonl")
_log = logging.getLogger("burnish.collector")


class Journal:
    """Segments in a directory of our own; `directory` None keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        """Raises DataError where the directory cannot be made or read."""
        self._directory = directory
        self._file: BinaryIO | None = None
        self._sizes: dict[int, int] = {}
        self._written = False
        try:
            self._old = self._found()
        except OSError as error:
            raise DataError(
                f"{directory}: {error.strerror}; choose another state directory for the collector"
            ) from error
        self.segment = max(self._old, default=0) + 1
        """The number of the part that is written to."""

    @property
    def bytes(self) -> int:
        """In all segments."""
        return sum(self._sizes.values())

    def _found(self) -> list[int]:
        if self._directory is None:
            return []
        self._directory.mkdir(parents=True, exist_ok=True)
        for path in self._directory.iterdir():
            if match := _NAME.fullmatch(path.name):
                self._sizes[int(match[1])] = path.stat().st_size
        return sorted(self._sizes)

    def _path(self, segment: int) -> Path:
        assert self._directory is not None
        return self._directory / f"otlp-{segment:012}.jsonl"

    def lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """What earlier processes left, with its segment. A line that is torn or foreign is passed over, and logged."""
        for segment in self._old:
            path = self._path(segment)
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    try:
                        found = json.loads(line) if line.endswith(b"\n") else None
                    except ValueError:
                        found = None
                    if isinstance(found, dict):
                        yield segment, found
                    else:
                        _log.warning("%s:%d: not a line of the journal, skipped", path, number)

    def append(self, line: dict[str, object]) -> None:
        """Writes one line in whole or not at all. Raises OSError."""
        if self._directory is None:
            return
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        if self._file is None:
            self._file = self._path(self.segment).open("ab", buffering=0)
        size = self._sizes.setdefault(self.segment, 0)
        try:
            if self._file.write(data) != len(data):
                raise OSError(28, "the disk is full")
        except OSError:
            self._file.truncate(size)
            raise
        self._sizes[self.segment] = size + len(data)
        self._written = True

    def is_long(self) -> bool:
        """Whether it is time for a new segment."""
        return self._sizes.get(self.segment, 0) >= SEGMENT_BYTES

    def is_new(self) -> bool:
        """Whether the segment holds nothing but its first line, and there is no other."""
        return not self._written and self._sizes.keys() <= {self.segment}

    def roll(self, first: dict[str, object]) -> None:
        """Begins a new segment with this line. Raises OSError; then the old one goes on."""
        self.close()
        self.segment += 1
        try:
            self.append(first)
        except OSError:
            self.close()
            self.segment -= 1
            raise
        self._written = False

    def release(self, needed: int) -> None:
        """Deletes the segments before `needed`."""
        for segment in [one for one in self._sizes if one < needed]:
            self._path(segment).unlink(missing_ok=True)
            del self._sizes[segment]

    def close(self) -> None:
        """Closes the file; the segments stay."""
        if self._file is not None:
            self._file.close()
            self._file = None
