"""Windows into a directory: each process has an append-only file of its own there."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..notice import Notices


class Directory:
    """The file ``<instance>.jsonl``. A window that cannot be written is gone."""

    def __init__(self, folder: str, instance: str, notices: Notices) -> None:
        self._folder, self._notices = folder, notices
        self.path = os.path.join(folder, instance + ".jsonl")

    @property
    def dropped(self) -> int:
        """None is lost after it was written."""
        return 0

    def write(self, start: int, sequence: int, pieces: Iterable[bytes]) -> bool:
        """Append a window piece by piece, nothing of it where that fails: a reader ignores a line without its end.

        Raises what ``pieces`` raises.
        """
        try:
            os.makedirs(self._folder, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _append(descriptor, pieces)
            finally:
                os.close(descriptor)
        except OSError as error:
            unwritable(self._notices, self._folder, error)
            return False
        return True

    def start(self) -> None:
        """Nothing runs beside."""

    def pause(self) -> None:
        """Nothing to pause."""

    def close(self, seconds: float) -> None:
        """Nothing is open."""

    def forget(self) -> None:
        """Nothing is shared with a parent."""


def _append(descriptor: int, pieces: Iterable[bytes]) -> None:
    before = os.fstat(descriptor).st_size
    try:
        for piece in pieces:
            write_all(descriptor, piece)
    except BaseException:
        os.ftruncate(descriptor, before)
        raise


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``. Raises OSError."""
    if os.write(descriptor, data) != len(data):
        raise OSError("the disk is full")


def unwritable(notices: Notices, place: str, error: OSError) -> None:
    """Say once that windows are lost, and the mend."""
    notices.say(
        "unwritable",
        f"cannot write windows to {place}: {error.strerror or error}. Set BURNISH_OUTPUT to a place that this process "
        "may write to; the service goes on without.",
    )
