"""Which process a folder of the spool belongs to, and what becomes of the windows of a process that died.

A process holds a lock on a file in its folder for as long as it lives: the system takes it back however the process
ends. So a folder whose lock can be had is a dead process's. The lock is a POSIX record lock, because a forked child
does not share it (as it would one of ``flock``). Where there is none (Windows), what was left stays where it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

INSTANCE = re.compile(r"[0-9]+-[0-9a-f]{12}\Z")
_LOCK = "lock"
_AT_ONCE = 16


class Claim:
    """The lock on a folder of the spool."""

    def __init__(self, folder: str, descriptor: int) -> None:
        self.folder, self._descriptor = folder, descriptor

    @classmethod
    def make(cls, folder: str) -> Claim:
        """Make the folder of this process and lock it before it has a name that others look for. Raises OSError."""
        parent, name = os.path.split(folder)
        fresh = os.path.join(parent, "." + name)
        os.makedirs(fresh, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(fresh, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(descriptor) and fcntl is not None:
            os.close(descriptor)
            raise OSError("the file system has no locks")
        os.rename(fresh, folder)
        return cls(folder, descriptor)

    @classmethod
    def of_the_dead(cls, folder: str) -> Claim | None:
        """The claim on a folder that nobody holds, else None."""
        if fcntl is None:
            return None
        try:
            descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None
        if _lock(descriptor) and os.fstat(descriptor).st_nlink:  # else somebody was here before, and has removed it
            return cls(folder, descriptor)
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Give the lock back. Closing any descriptor of the file does, in this process; in a child it does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Remove an empty folder; one that holds something else stays."""
        try:
            if os.listdir(self.folder) == [_LOCK]:
                os.unlink(os.path.join(self.folder, _LOCK))
                os.rmdir(self.folder)
        except OSError:
            pass


def _lock(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (AttributeError, OSError):
        return False


def instances(folder: str) -> list[str]:
    """The processes that have a folder here."""
    try:
        return [name for name in os.listdir(folder) if INSTANCE.match(name)]
    except OSError:
        return []


def adopt(folder: str, mine: str) -> Iterator[tuple[str, int]]:
    """Move what dead processes left into ``mine``: names and sizes in bytes. A bounded number of folders each time."""
    others = [name for name in sorted(instances(folder)) if name != os.path.basename(mine)]
    taken = 0
    for name in others:
        claim = Claim.of_the_dead(os.path.join(folder, name)) if taken < _AT_ONCE else None
        if claim is None:
            continue
        taken += 1
        yield from _moved(claim.folder, mine)
        claim.remove()
        claim.release()


def _moved(source: str, target: str) -> Iterator[tuple[str, int]]:
    try:
        names = sorted(os.listdir(source))
    except OSError:
        return
    for name in names:
        path = os.path.join(target, name)
        if name == _LOCK or os.path.exists(path):
            continue
        try:
            os.rename(os.path.join(source, name), path)
            yield name, os.path.getsize(path)
        except OSError:
            continue
