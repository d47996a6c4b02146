"""Recorded requests from the access log: which ones belong to a finding, and a fair sample of them.

The log is in the common or combined format (gunicorn's, nginx's and Apache's default):

    10.0.0.7 - - [22/Nov/2026:12:52:36 +0000] "GET /products/?page=2 HTTP/1.1" 200 5120 "-" "curl/8"
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from burnish.errors import ConfigError
from burnish.finding import EntryShare

LINE = re.compile(rb'\[(?P<time>[^\]]+)\] "GET (?P<target>/\S*) HTTP/[\d.]+" (?P<status>[23]\d\d) ')
BLOCK_BYTES = 256 * 1024
MAX_DISTINCT = 5000
MAX_TARGET_BYTES = 4096


@dataclass(frozen=True)
class Recorded:
    """One distinct request; `target` is path and query. `age` is its place in the log, 0 for the newest."""

    target: str
    age: int
    unix: float
    entry: str = ""
    """Known once the service has resolved the path."""

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path


@dataclass(frozen=True)
class Sample:
    """What is replayed. The halves are disjoint; the cost is decided on `held_out` alone."""

    choosing: tuple[Recorded, ...]
    held_out: tuple[Recorded, ...]

    @property
    def all(self) -> tuple[Recorded, ...]:
        """Both halves, in the order in which they were recorded."""
        return tuple(sorted((*self.choosing, *self.held_out), key=lambda r: (-r.age, r.target)))


def recorded(log: Path, max_bytes: int) -> list[Recorded]:
    """Distinct successful GET requests at the end of a log, newest first. Raises ConfigError where it is not there."""
    found: dict[str, Recorded] = {}
    try:
        for line in _backwards(log, max_bytes):
            seen = LINE.search(line)
            if seen is None or len(seen["target"]) > MAX_TARGET_BYTES:
                continue
            target = seen["target"].decode("ascii", "replace")
            if target not in found:
                found[target] = Recorded(target, len(found), _unix(seen["time"]))
            if len(found) >= MAX_DISTINCT:
                break
    except OSError as error:
        message = f"access_log: {log} cannot be read ({error.strerror}); name the service's access log"
        raise ConfigError(message) from error
    return list(found.values())


def _backwards(path: Path, max_bytes: int) -> Iterator[bytes]:
    """Lines from the end; a line that `max_bytes` cuts in two is left out."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        end = max(0, position - max_bytes)
        rest = b""
        while position > end:
            size = min(BLOCK_BYTES, position - end)
            position -= size
            file.seek(position)
            first, *lines = (file.read(size) + rest).split(b"\n")
            yield from reversed(lines)
            rest = first
        if position == 0:
            yield rest


def _unix(text: bytes) -> float:
    try:
        return datetime.strptime(text.decode("ascii", "replace"), "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return 0.0


def sample(
    requests: Sequence[Recorded],
    entries: Mapping[str, str],
    wanted: Sequence[EntryShare],
    size: int,
    rng: random.Random,
) -> Sample:
    """Up to `size` requests whose entry (`entries[path]`, as the service resolves it) is wanted, in two halves.

    Each entry gets its share of the traffic and at least two places; within an entry the sample is spread over the
    distinct paths first and over age second. With a single request, that one is held out.
    """
    choosing: list[Recorded] = []
    held_out: list[Recorded] = []
    traffic = sum(e.calls_per_minute for e in wanted) or 1.0
    for share in sorted(wanted, key=lambda e: e.entry):
        mine = [replace(r, entry=share.entry) for r in requests if entries.get(r.path) == share.entry]
        places = max(2, round(size * share.calls_per_minute / traffic))
        for place, request in enumerate(_spread(mine, places, rng)):
            (choosing if place % 2 else held_out).append(request)
    return Sample(tuple(choosing), tuple(held_out))


def _spread(requests: Sequence[Recorded], places: int, rng: random.Random) -> list[Recorded]:
    """One request of every path before a second one of any; where paths are too many, evenly over age."""
    by_path: dict[str, list[Recorded]] = {}
    for request in sorted(requests, key=lambda r: r.age):
        by_path.setdefault(request.path, []).append(request)
    chosen: list[Recorded] = []
    tier = 0
    while len(chosen) < places:
        candidates = [group[tier] for group in by_path.values() if len(group) > tier]
        if not candidates:
            break
        chosen.extend(_systematic(candidates, places - len(chosen), rng))
        tier += 1
    return sorted(chosen, key=lambda r: r.age)


def _systematic(candidates: Sequence[Recorded], places: int, rng: random.Random) -> list[Recorded]:
    """Systematic sampling with a random start: every k-th candidate in order of age."""
    if len(candidates) <= places:
        return list(candidates)
    step = len(candidates) / places
    start = rng.random() * step
    return [candidates[min(int(start + i * step), len(candidates) - 1)] for i in range(places)]
