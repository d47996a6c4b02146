"""A directory into which a sampling profiler writes: the files that are as new as the release, newest first."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Protocol

from burnish.errors import DataError
from burnish.profile import LineTime
from burnish_tools import sources
from burnish_tools.plugins import found
from burnish_tools.sources.samples import Samples

MOST_FILES = 50
"""Files that are read: at a hundred samples a second and a minute each, more than a quarter of a million samples."""
MOST_BYTES = 64 << 20
"""Of one file."""
_log = logging.getLogger("burnish.sources")


class Reader(Protocol):
    """Of one format."""

    name: str
    suffixes: tuple[str, ...]

    def read(self, data: bytes) -> Samples | None:
        """None where it is another format. Raises DataError where it is this one and cannot be used."""


@cache
def readers() -> tuple[Reader, ...]:
    """All formats, by name."""
    return tuple(kind() for kind in found(sources.__name__, sources.__path__, "read"))


def line_times(directory: Path, since_unix_ns: int = 0) -> tuple[LineTime, ...]:
    """Self time by line of all profiles that were written since, at most the 50 newest.

    A file that cannot be read is left out with a warning that names it and says why. A directory that is not there
    holds nothing.
    """
    every = Samples()
    for path in _files(directory, since_unix_ns):
        try:
            every.lines.update(read(path).lines)
        except DataError as error:
            _log.warning("%s", error)
    return every.line_times()


def read(path: Path) -> Samples:
    """One profile. Raises DataError, which names the file."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"it has more than {MOST_BYTES >> 20} MB")
        data = path.read_bytes()
        for reader in readers():
            if path.name.endswith(reader.suffixes) and (samples := reader.read(data)) is not None:
                return samples
    except (OSError, DataError) as error:
        raise DataError(f"{path}: {error}") from None
    raise DataError(f"{path}: it is in no format that is known ({', '.join(each.name for each in readers())})")


def _files(directory: Path, since_unix_ns: int) -> list[Path]:
    suffixes = tuple(suffix for reader in readers() for suffix in reader.suffixes)
    try:
        paths = [path for path in directory.iterdir() if path.name.endswith(suffixes) and path.is_file()]
        aged = sorted(((path.stat().st_mtime_ns, path) for path in paths), reverse=True)
    except OSError:
        return []
    return [path for changed, path in aged if changed >= since_unix_ns][:MOST_FILES]
