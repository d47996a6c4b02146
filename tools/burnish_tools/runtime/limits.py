"""Bounds against broken and hostile senders, the same however a window comes (`format.py` applies them).

A window whose time cannot be right is refused as a whole. A row that cannot be right is left out, and counted with what
the sensor itself had to leave out (`Profile.dropped`), so that nobody takes what is left for everything.
"""

from __future__ import annotations

from burnish.errors import DataError

AHEAD_SECONDS = 3600.0
"""How far in the future a window may begin: an hour forgives a clock, or a zone taken for another."""
NAME = 1_000
"""Characters of a name, path, peer or type."""
TEXT = 100_000
"""Characters of a normalised statement, IN lists being one mark: generated ones have some thousand."""
COUNT = 10**12
"""Largest count: 100 million a second for three hours. Nine million such windows still add up in 63 bits."""
LONGEST_NS = 24 * 3600 * 10**9
"""Length of a window: the sensor's longest is an hour; more would dilute every rate."""
AMOUNT = 2**63 - 1
"""Largest sum of nanoseconds: 292 years of calls in one window."""
ROWS = 50_000
"""Rows of one kind in one window, and keys of one counter. The sensor ends at a few thousand functions."""
FINEST = 3
"""Scale of the finest histogram that is kept: the sensor's. A sum with one window of a sensor has it in any case, and
it bounds a histogram to some thousand buckets."""
BUCKETS = 10_000
"""Buckets of a histogram that is sent; OpenTelemetry's have 160."""
INDEX = 1_100 << 20
"""Largest index of a bucket: that of the largest float at OpenTelemetry's finest scale."""
NEW_NAMES = {"functions": 200_000, "statements": 20_000, "sites": 200_000, "entries": 20_000, "peers": 5_000}
"""Names of each kind that one service may bring in one day; later ones are `<other>`. A judgement: far more
than code has, and little enough that a service which makes up names (an identifier in a route) is stopped."""
OTHER = "<other>"


def in_time(start_unix_ns: int, now: float, horizon_unix_ns: int = 0) -> None:
    """Raises DataError where a window begins at a time at which it cannot be taken.

    That is too far in the future of `now` (seconds since 1970), or before `horizon_unix_ns`: windows were dropped up to
    there, so that a second delivery would not be seen.
    """
    if start_unix_ns > (now + AHEAD_SECONDS) * 1e9:
        raise DataError("begins more than an hour in the future: set the clock of its machine")
    if start_unix_ns < horizon_unix_ns:
        raise DataError("is older than the windows that are kept")
