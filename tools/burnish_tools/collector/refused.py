"""Windows that could not be taken and may be later: of a newer format, or such as the store failed on.

    <directory>/newer-<n>.jsonl     lines of a newer format, as they came; read again at each start
    <directory>/failed-<n>.jsonl    lines that are well-formed and that the store does not take; for a person

Files of an eighth of the limit each; beyond the limit the oldest go, which is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from burnish.errors import DataError

Why = Literal["newer", "failed"]
_NAME = re.compile(r"(newer|failed)-(\d{9})\.jsonl\Z")


class Refused:
    """The directory. One thread uses it."""

    def __init__(self, directory: Path, limit: int) -> None:
        """Makes the directory. Raises DataError where that is not possible."""
        self.directory, self._limit = directory, limit
        self.dropped = 0
        """Files that had to go, since the start."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{directory}: {error.strerror}; choose another collector.directory") from error

    def keep(self, line: bytes, why: Why) -> None:
        """Appends a line; it is with the system when this returns. Raises OSError."""
        files = self._files()
        mine = [path for path in files if path.name.startswith(why)]
        path = mine[-1] if mine else None
        if path is None or path.stat().st_size + len(line) > self._limit // 8:
            number = 1 + max((int(name[2]) for one in files if (name := _NAME.match(one.name))), default=0)
            path = self.directory / f"{why}-{number:09d}.jsonl"
        with path.open("ab") as file:
            file.write(line.rstrip(b"\r\n") + b"\n")
        self._trim()

    def size(self) -> int:
        """Bytes that are kept."""
        return sum(path.stat().st_size for path in self._files())

    def again(self) -> Iterator[tuple[Path, list[bytes]]]:
        """The lines of a newer format, file by file: this Burnish may be able to read them."""
        for path in [path for path in self._files() if path.name.startswith("newer")]:
            yield path, path.read_bytes().splitlines()

    def leave(self, path: Path, lines: list[bytes]) -> None:
        """Puts back what could not be read, in place of a file."""
        if not lines:
            path.unlink()
            return
        part = path.with_suffix(".part")
        part.write_bytes(b"".join(line + b"\n" for line in lines))
        part.replace(path)

    def _trim(self) -> None:
        files = self._files()
        total = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if total <= self._limit:
                return
            total -= path.stat().st_size
            path.unlink()
            self.dropped += 1

    def _files(self) -> list[Path]:
        """Oldest first."""
        found = [(int(name[2]), path) for path in self.directory.iterdir() if (name := _NAME.match(path.name))]
        return [path for _, path in sorted(found)]
