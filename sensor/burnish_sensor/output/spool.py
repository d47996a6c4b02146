"""Windows that wait to be taken: files in a folder of this process, in memory where the disk cannot be written.

    <spool>/<service>/<instance>/lock                                         held while the process lives
    <spool>/<service>/<instance>/<start>.<instance>.<sequence>.jsonl.gz       one window

A file is written under another name and renamed, so that it is whole or not there. Each process writes, sends and
deletes in its own folder only; what a dead process left is moved there first (``leftovers.py``).
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from .. import threads
from ..notice import Notices
from .leftovers import Claim, adopt, instances

MEMORY_BYTES = 4_000_000
_NAME = re.compile(r"(\d{20})\.([0-9]+-[0-9a-f]{12})\.(\d{10})\.jsonl\.gz\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_GZIP = 16 + zlib.MAX_WBITS
_IN_ORDER = attrgetter("file")


class Item:
    """One window that waits: ``size`` in bytes, ``data`` where it is in memory and not on the disk.

    ``tells`` is how many dropped windows it tells of: if it is dropped too, the next one has to.
    """

    def __init__(self, start: int, instance: str, sequence: int, size: int, tells: int = 0) -> None:
        self.start, self.instance, self.sequence = start, instance, sequence
        self.size, self.tells = size, tells
        self.data: bytes | None = None
        #: its name on the disk, in the order in which windows are sent
        self.file = f"{start:020d}.{instance}.{sequence:010d}.jsonl.gz"


class Spool:
    """The windows of one process, oldest first. ``limit`` bounds the bytes on disk of all processes of the service.

    One thread adds, another takes; ``dropped`` counts the windows that had to go, and counts them once more when the
    window that told of them had to go as well.
    """

    def __init__(self, folder: str, service: str, instance: str, limit: int, notices: Notices) -> None:
        self.folder = os.path.join(folder, _UNSAFE.sub(lambda match: f"%{ord(match[0]):02x}", service) or "service")
        self._mine = os.path.join(self.folder, instance)
        self._instance, self._limit, self._notices = instance, limit, notices
        self._claim: Claim | None = None
        self._items: list[Item] = []
        self._sent: set[str] = set()
        self._lock = threads.Lock()
        self.dropped = self._told = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def untold(self) -> int:
        """How many dropped windows no window tells of yet."""
        return self.dropped - self._told

    def add(self, start: int, sequence: int, pieces: Iterable[bytes]) -> None:
        """Keep a window. Raises what ``pieces`` raises, and nothing else."""
        tells, self._told = self.untold, self.dropped
        data = compressed(pieces)
        item = Item(start, self._instance, sequence, len(data), tells)
        try:
            self._store(item, data)
        except OSError as error:
            item.data = data
            self._notices.say(
                "spool",
                f"cannot keep windows in {self.folder}: {error.strerror or error}. A few wait in memory only; set "
                "BURNISH_SPOOL to a directory that this process may write to.",
            )
        with self._lock:
            late = bool(self._items) and item.file < self._items[-1].file  # the clock was set back
            self._items.append(item)
            if late:
                self._items.sort(key=_IN_ORDER)
        self._trim()

    def _store(self, item: Item, data: bytes) -> None:
        self._claim_folder()
        path = os.path.join(self._mine, item.file)
        try:
            with open(path + ".part", "wb", buffering=0) as stream:
                if stream.write(data) != len(data):
                    raise OSError("the disk is full")
            os.replace(path + ".part", path)
        except OSError:
            _remove(path + ".part")
            raise

    def _claim_folder(self) -> None:
        with self._lock:
            if self._claim is None or not os.path.isdir(self._mine):
                if self._claim is not None:
                    self._claim.release()
                self._claim = Claim.make(self._mine)

    def _trim(self) -> None:
        """Let the oldest go: on disk beyond this process's share of the limit, in memory beyond its own limit."""
        share = self._limit // max(1, len(instances(self.folder)))
        for in_memory, limit in ((True, MEMORY_BYTES), (False, share)):
            with self._lock:
                kept = [item for item in self._items if (item.data is not None) is in_memory]
                excess = sum(item.size for item in kept) - limit
                for item in kept:
                    if excess <= 0:
                        break
                    if item.file not in self._sent:
                        excess -= item.size
                        self._forget(item, lost=True)

    def batch(self, count: int, size: int) -> list[tuple[Item, bytes]]:
        """The oldest window and what follows it of its instance: at most ``count`` of ``size`` bytes in all, or one."""
        with self._lock:
            oldest = self._items[0] if self._items else None
            same = (item for item in self._items if oldest is not None and item.instance == oldest.instance)
            chosen = list(islice(same, count))
        found: list[tuple[Item, bytes]] = []
        for item in chosen:
            data = self._read(item)
            if data is None:
                continue
            size -= len(data)
            if found and size < 0:
                break
            found.append((item, data))
        with self._lock:
            self._sent = {item.file for item, _ in found}
        return found

    def _read(self, item: Item) -> bytes | None:
        """What is kept of a window; None, and it waits no more, where the file is gone or not what was written."""
        if item.data is not None:
            return item.data
        path = os.path.join(self._mine, item.file)
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            for _ in lines_of(data):
                pass
            return data
        except (OSError, ValueError, zlib.error):
            self._set_aside(path)
            with self._lock:
                self._forget(item, lost=True)
            return None

    def _set_aside(self, path: str) -> None:
        aside = os.path.join(self.folder, "set-aside")
        try:
            os.makedirs(aside, exist_ok=True)
            if len(os.listdir(aside)) < 20:
                os.replace(path, os.path.join(aside, os.path.basename(path)))
            else:
                os.unlink(path)
        except OSError:
            pass
        self._notices.say("torn", f"a file that waited in the spool cannot be read and is in {aside} now.")

    def done(self, items: Iterable[Item], lost: bool = False) -> None:
        """Windows that were taken, or (``lost``) that nobody will ever take."""
        with self._lock:
            for item in items:
                if item in self._items:
                    self._forget(item, lost)
            self._sent = set()

    def _forget(self, item: Item, lost: bool) -> None:
        self._items.remove(item)
        if lost:
            self.dropped += 1 + item.tells
        if item.data is None:
            _remove(os.path.join(self._mine, item.file))

    def adopt(self) -> None:
        """Take over what processes of this service left that are no more; nothing where the disk does not allow it."""
        try:
            if not instances(self.folder):
                return
            self._claim_folder()
        except OSError:
            return
        found: list[Item] = []
        for name, size in adopt(self.folder, self._mine):
            match = _NAME.match(name)
            if match:
                found.append(Item(int(match[1]), match[2], int(match[3]), size))
            elif not name.endswith(".part"):
                self._set_aside(os.path.join(self._mine, name))
            else:
                _remove(os.path.join(self._mine, name))
        with self._lock:
            self._items = sorted([*self._items, *found], key=_IN_ORDER)
        self._trim()

    def close(self) -> None:
        """Leave what waits to the next process; in memory it is lost."""
        if self._claim is not None:
            if not self._items:
                self._claim.remove()
            self._claim.release()

    def forget(self) -> None:
        """In a forked child: all this is the parent's."""
        if self._claim is not None:
            self._claim.release()


def compressed(pieces: Iterable[bytes]) -> bytes:
    """One gzip member; the GIL is not held while a piece is compressed."""
    packer = zlib.compressobj(5, zlib.DEFLATED, _GZIP)
    packed = [packer.compress(piece) for piece in pieces]
    packed.append(packer.flush())
    return b"".join(packed)


def lines_of(data: bytes) -> Iterator[bytes]:
    """What ``compressed`` took, in pieces of some 256 KB. Raises ValueError or zlib.error where it is not whole."""
    unpacker = zlib.decompressobj(_GZIP)
    for at in range(0, len(data), 16_384):
        rest = data[at : at + 16_384]
        while rest and not unpacker.eof:
            piece = unpacker.decompress(rest, 262_144)
            rest = unpacker.unconsumed_tail
            if piece:
                yield piece
    last = unpacker.flush()
    if last:
        yield last
    if not unpacker.eof:
        raise ValueError("the file ends too early")


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
