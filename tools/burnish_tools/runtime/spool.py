"""Reading the directory into which sensors write, again and again, each byte once.

A sensor appends lines to a file of its own. What has been read is a `Mark` per file (bytes and lines), kept by the
store beside the windows and in the same transaction, so that a killed reader neither loses nor repeats anything.
A last line without its line end is being written and is left for the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from burnish.errors import DataError
from burnish_tools.runtime.format import NewerFormat, Window, parse

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Mark:
    """How far a file has been read."""

    file: str
    """Name inside the directory."""
    offset: int = 0
    """Bytes."""
    lines: int = 0


@dataclass(frozen=True)
class Line:
    """One line of a file: a window, or what is wrong with it."""

    mark: Mark
    """Where the next line begins."""
    content: Window | DataError
    raw: bytes

    @property
    def place(self) -> str:
        """`file:line`, for messages."""
        return f"{self.mark.file}:{self.mark.lines}"


class Spool:
    """A directory of `*.jsonl` files, or nothing where the directory is not there (yet)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def unread(self, marks: Mapping[str, Mark]) -> Iterator[Line]:
        """The lines after the marks, file by file in order of name. Raises DataError where a file cannot be read."""
        for path in sorted(self.directory.glob(f"*{SUFFIX}")):
            mark = marks.get(path.name, Mark(path.name))
            try:
                if path.stat().st_size < mark.offset:
                    mark = Mark(path.name)  # another file by this name; known windows are not counted twice
                yield from _lines(path, mark)
            except OSError as error:
                raise DataError(f"{path}: {error.strerror}; make it readable or move it away") from error


def _lines(path: Path, mark: Mark) -> Iterator[Line]:
    with path.open("rb") as file:
        file.seek(mark.offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            mark = Mark(mark.file, mark.offset + len(raw), mark.lines + 1)
            if raw.strip():
                yield Line(mark, read(raw), raw)


def read(raw: bytes) -> Window | DataError:
    """A line as a window, or the error (a NewerFormat where a newer reader would understand it)."""
    try:
        return parse(raw)
    except NewerFormat as newer:
        return newer
    except DataError as error:
        return error
