"""Open windows: trees are put into the one in which their root ended, and windows closed some time after their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from burnish_tools.collector.otlp import tree as trees
from burnish_tools.collector.otlp.assembly import Tree
from burnish_tools.collector.otlp.names import OTHER
from burnish_tools.collector.otlp.resource import Source
from burnish_tools.collector.otlp.rows import Json, Rows
from burnish_tools.collector.otlp.settings import SECOND, OtlpSettings
from burnish_tools.runtime.format import FORMAT, Window, of_plain

FUTURE_NS, PAST_NS = 300 * SECOND, 30 * 86_400 * SECOND
"""Times that lie further from the collector's clock are not believed: such a span counts when it came. An hour in the
future would make everything else look old; a collector on the way may well deliver after days."""
MOST_INSTANCES = 100_000
"""Instances of which the last sequence is known; beyond it all get a new name, as if the collector had been started."""
OTHERS = Source(OTHER, "production", "unknown", f"otlp:{OTHER}")


@dataclass
class _Open:
    source: Source
    start: int
    due: int
    segment: int
    rows: Rows
    taken: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A finished window, and the spans in it: ids, joined, by trace."""

    window: Window
    source: Source
    taken: dict[str, str]
    segment: int


class Windows:
    """The windows of all sources. `started` tells the collector's starts apart in the names of instances."""

    def __init__(self, settings: OtlpSettings, started: int, texts: Mapping[str, tuple[str, str]]) -> None:
        self._settings, self._texts, self._started = settings, texts, started
        self._length = settings.window_seconds * SECOND
        self._lateness = int(settings.lateness_seconds * SECOND)
        self._open: dict[tuple[Source, int], _Open] = {}
        self._sequences: dict[tuple[str, str], int] = {}

    def add(self, tree: Tree, now: int) -> None:
        """Counts a tree."""
        end = tree.root.end if tree.root else max(span.end for span in tree.spans)
        window = self._at(tree.source, self._believed(end, now), now, tree.segment)
        if tree.root is None:
            window.rows.drop("late" if tree.late else "unfinished", len(tree.spans))
        trees.add(tree, window.rows)
        window.taken.setdefault(tree.trace, []).extend(span.id for span in tree.spans)

    def stretch(self, start: int, end: int, now: int) -> tuple[int, int]:
        """The time that a sender told; where its clock is off by too much, as long a one that ends now."""
        believed = self._believed(end, now)
        return max(believed - (end - start), believed - PAST_NS, 0), believed

    def _believed(self, time: int, now: int) -> int:
        return time if now - PAST_NS <= time <= now + FUTURE_NS else now

    def _at(self, source: Source, time: int, now: int, segment: int) -> _Open:
        start = time // self._length * self._length
        window = self._open.get((source, start))
        if window is None and len(self._open) >= self._settings.max_sources:
            source = OTHERS
            window = self._open.get((source, start))
        if window is None:
            latest = now + self._length + self._lateness
            due = min(max(start + self._length, now) + self._lateness, latest)
            rows = Rows(self._settings.max_names, self._texts)
            window = self._open[source, start] = _Open(source, start, due, segment, rows)
        window.segment = min(window.segment, segment)
        return window

    def due(self, now: int) -> Iterator[Made]:
        """Windows that are complete as far as can be known."""
        return self._closed(lambda window: window.due <= now)

    def rest(self) -> Iterator[Made]:
        """All."""
        return self._closed(lambda window: True)

    def _closed(self, which: Callable[[_Open], bool]) -> Iterator[Made]:
        for key in [key for key, window in self._open.items() if which(window)]:
            window = self._open.pop(key)
            taken = {trace: "".join(ids) for trace, ids in window.taken.items()}
            rows, end = window.rows, window.start + self._length
            made = self.of_parts(window.source, window.start, end, rows.parts(), rows.dropped)
            yield Made(made, window.source, taken, window.segment)

    def oldest_segment(self) -> int | None:
        """The oldest part of the journal that an open window needs."""
        return min((window.segment for window in self._open.values()), default=None)

    def of_parts(
        self, source: Source, start: int, end: int, parts: Json, dropped: dict[str, int] | None = None
    ) -> Window:
        """The next window of an instance."""
        if len(self._sequences) >= MOST_INSTANCES:
            self._sequences.clear()
            self._started += 1
        instance = f"{source.instance}:{self._started:x}"
        sequence = self._sequences.get((source.service, instance), 0)
        self._sequences[source.service, instance] = sequence + 1
        told: Json = {
            "format": FORMAT,
            "service": source.service,
            "environment": source.environment,
            "release": source.release,
            "instance": instance,
            "sequence": sequence,
            "start_unix_ns": start,
            "end_unix_ns": end,
            "sensor": {"mechanism": "otlp", **({"dropped": dropped} if dropped else {})},
        }
        return of_plain(told | parts)
