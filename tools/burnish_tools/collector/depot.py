"""Batches of several requests into the store by one transaction, and what became of each window told exactly.

The store tells only how many windows of a transaction were new. So only batches that cannot hold a duplicate share
one: those whose sequences go on from the highest that is known of their instance. Others get one of their own.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence

from burnish.errors import DataError, Unavailable
from burnish_tools.collector.health import Health
from burnish_tools.collector.intake import Batch
from burnish_tools.collector.refused import Refused
from burnish_tools.runtime.format import Window, line_of
from burnish_tools.runtime.store import Store

_REMEMBERED = 100_000
"""Instances whose highest sequence is known."""
_OUTSIDE = (Unavailable, OSError, MemoryError, sqlite3.OperationalError, sqlite3.InternalError)


class Later(Exception):
    """The store cannot be written now; trying again may help."""


class Depot:
    """Puts batches into the store. One thread uses it."""

    def __init__(self, store: Store, refused: Refused, health: Health, max_services: int) -> None:
        """Raises what the store raises where it cannot be read."""
        self._store, self._refused, self._health = store, refused, health
        self._services = {(seen.service, seen.environment) for seen in store.services()}
        self._max_services = max_services
        self._highest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def put(self, batches: Sequence[Batch]) -> None:
        """Stores every batch (`batch.stored`). Raises Later; what was stored by then is marked."""
        for batch in batches:
            self._bound_services(batch)
            self._keep_newer(batch)
        follow = [batch for batch in batches if self._follows_on(batch)]
        self._together(follow)
        for batch in batches:
            if not batch.stored:
                self._together([batch])

    def _together(self, batches: Sequence[Batch]) -> None:
        windows = [window for batch in batches for _, _, window in batch.windows]
        refused = 0
        if windows:
            try:
                taken = self._store.add(windows)
            except Exception as error:  # noqa: BLE001 - the store may fail on a window in any way
                self._later(error)
                self._apart(batches)
                return
            refused = sum(taken.refused.values())
            self._health.written()
        for batch in batches:
            batch.stored, batch.new = True, len(batch.windows)
        if windows and len(batches) == 1:
            batches[0].new, batches[0].duplicates = taken.new, taken.duplicates
        if refused:
            self._find_refused(batches)

    def _apart(self, batches: Sequence[Batch]) -> None:
        """One of the windows is such that the store fails on it: that one is kept, the others are stored."""
        if len(batches) > 1:
            for batch in batches:
                self._together([batch])
            return
        (batch,) = batches
        batch.new = batch.duplicates = 0
        for number, line, window in batch.windows:
            try:
                taken = self._store.add([window])
            except Exception as error:  # noqa: BLE001 - the same
                self._later(error)
                self._health.problem("failed", f"{self._refused.directory}: keeps a window that the store fails on")
                self._keep(line or line_of(window), "failed")
                batch.refuse(number, f"the store cannot take it: {error}"[:300], "failed in the store")
            else:
                batch.new, batch.duplicates = batch.new + taken.new, batch.duplicates + taken.duplicates
                for reason in taken.refused:
                    batch.refuse(number, reason, reason)
        batch.stored = True

    def _find_refused(self, batches: Sequence[Batch]) -> None:
        """Which windows of a transaction the store refused: offered alone, what it took then is a duplicate now."""
        for batch in batches:
            for number, _, window in batch.windows:
                try:
                    reasons = self._store.add([window]).refused
                except Exception as error:
                    raise Later(str(error)) from error
                for reason in reasons:
                    batch.refuse(number, reason, reason)
                    batch.new -= len(batches) > 1

    def _follows_on(self, batch: Batch) -> bool:
        """Whether none of its windows can be in the store; remembers them."""
        new = True
        for _, _, window in batch.windows:
            key = window.service, window.instance
            highest = self._highest.get(key)
            new = new and highest is not None and window.sequence > highest
            self._highest[key] = window.sequence if highest is None else max(window.sequence, highest)
            self._highest.move_to_end(key)
        while len(self._highest) > _REMEMBERED:
            self._highest.popitem(last=False)
        return new or not batch.counted

    def _bound_services(self, batch: Batch) -> None:
        kept = []
        for item in batch.windows:
            key = item[2].service, item[2].environment
            if key not in self._services and len(self._services) >= self._max_services:
                text = f"there are {self._max_services} services already (collector.max_services)"
                batch.refuse(item[0], f"service: {text}", "too many services")
                self._health.problem("services", f"windows of a further service are refused: {text}")
            else:
                self._services.add(key)
                kept.append(item)
        batch.windows = kept

    def _keep_newer(self, batch: Batch) -> None:
        for line in batch.newer:
            text = f"{self._refused.directory}: keeps windows of a newer format; upgrade Burnish, and they are read"
            self._health.problem("newer", text)
            self._keep(line, "newer")
        batch.newer = []

    def _keep(self, line: bytes, why: str) -> None:
        dropped = self._refused.dropped
        try:
            self._refused.keep(line, "newer" if why == "newer" else "failed")
        except OSError as error:
            raise Later(f"{self._refused.directory}: {error.strerror}; make room on its disk") from error
        if self._refused.dropped > dropped:
            self._health.problem("refused full", f"{self._refused.directory}: is full; the oldest lines are dropped")

    def _later(self, error: Exception) -> None:
        """Raises Later where the store failed for a reason outside the windows."""
        cause = error.__cause__ if isinstance(error, DataError) and error.__cause__ else error
        broken = type(cause) is sqlite3.DatabaseError  # the file is no database, or a malformed one
        if isinstance(error, _OUTSIDE) or isinstance(cause, _OUTSIDE) or broken:
            raise Later(str(error)) from error


def made(windows: Sequence[Window]) -> Batch:
    """Windows that were made here, of OTLP."""
    return Batch([(0, b"", window) for window in windows], counted=False)
