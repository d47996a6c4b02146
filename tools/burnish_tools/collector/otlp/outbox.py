"""Finished windows on their way to the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

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
        self._numbers = count()
        self._held: dict[int, _Held] = {}
        """By number: one thread adds while another stores, and adding and taking away are atomic."""

    def hold(self, window: Window, segment: int, due: int, wanted: Callable[[], bool]) -> None:
        """To be stored from `due` on (Unix ns), if it is still `wanted` then."""
        self._held[next(self._numbers)] = _Held(window, segment, due, wanted)

    def is_full(self) -> bool:
        """Whether the store does not keep up."""
        return len(self._held) >= MOST

    def oldest_segment(self) -> int | None:
        """The oldest part of the journal that is needed for them."""
        return min((one.segment for one in list(self._held.values())), default=None)

    def send(self, now: int | None) -> None:
        """Stores what is due, all where `now` is None. What the store does not take stays."""
        due = [(number, one) for number, one in list(self._held.items()) if now is None or one.due <= now]
        for first in range(0, len(due), BATCH):
            batch = due[first : first + BATCH]
            if windows := [one.window for _, one in batch if one.wanted()]:
                try:
                    self._sink(windows)
                except BurnishError as error:
                    _log.warning("%d windows could not be stored and are kept: %s", len(due) - first, error)
                    return
            for number, _ in batch:
                self._held.pop(number, None)
