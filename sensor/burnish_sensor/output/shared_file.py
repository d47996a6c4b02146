"""Windows into one file that several processes append to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from ..notice import Notices
from ..threads import sleep
from .directory import Directory, unwritable, write_all

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCK_SECONDS = 1.0


class SharedFile(Directory):
    """A file ending in ``.jsonl``: each window is appended by one ``write``, which the system keeps whole.

    A lock is taken beside, if it can be had soon: to take back a window that the disk had no room for, and to close the
    line that a killed process left open. Without it a window is still whole.
    """

    def __init__(self, path: str, notices: Notices) -> None:
        super().__init__(os.path.dirname(path), "", notices)
        self.path = path

    def write(self, start: int, sequence: int, pieces: Iterable[bytes]) -> bool:
        """Append a window. Raises what ``pieces`` raises."""
        line = b"".join(pieces)
        try:
            os.makedirs(self._folder, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _append(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            unwritable(self._notices, self.path, error)
            return False
        return True


def _append(descriptor: int, line: bytes) -> None:
    locked = _locked(descriptor)
    before = os.fstat(descriptor).st_size
    if locked and before and os.pread(descriptor, 1, before - 1) != b"\n":
        line = b"\n" + line
    try:
        write_all(descriptor, line)
    except OSError:
        if locked:
            os.ftruncate(descriptor, before)
        raise


def _locked(descriptor: int) -> bool:
    """Whether the lock could be had; closing the file gives it back."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            sleep(0.005)
        except OSError:
            return False
    return False
