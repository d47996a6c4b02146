"""Finished windows on their way to the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from burnish.errors import BurnishError
from burnish_tools.runtime.format import Window

BATCH = 100
"""Windows that are stored at once: bounds the memory and the time of a transaction."""
MOST = 5_000
"""Windows that wait for a store that does not take them, until requests are asked to come later."""
_log = logging.getLogger("burnish.collector")


@dataclass(frozen=True)
class _Held:
    window: Window
    segment: int
    due: int
    wanted: Callable[[], bool]


class Outbox:
    """Keeps windows until the store has taken them."""

    def __init__(self, sink: Callable[[Sequence[Window]], None]) -> None:
        self._sink = sink
        self._held: list[_Held] = []

    def hold(self, window: Window, segment: int, due: int, wanted: Callable[[], bool]) -> None:
        """To be stored from `due` on (Unix ns), if it is still `wanted` then."""
        self._held.append(_Held(window, segment, due, wanted))

    def is_full(self) -> bool:
        """Whether the store does not keep up."""
        return len(self._held) >= MOST

    def oldest_segment(self) -> int | None:
        """The oldest part of the journal that is needed for them."""
        return min((one.segment for one in self._held), default=None)

    def send(self, now: int | None) -> None:
        """Stores what is due, all where `now` is None. What the store does not take stays."""
        due = [one for one in list(self._held) if now is None or one.due <= now]
        for first in range(0, len(due), BATCH):
            batch = due[first : first + BATCH]
            if windows := [one.window for one in batch if one.wanted()]:
                try:
                    self._sink(windows)
                except BurnishError as error:
                    _log.warning("%d windows could not be stored and are kept: %s", len(due) - first, error)
                    return
            gone = {id(one) for one in batch}
            self._held = [one for one in self._held if id(one) not in gone]
