"""Traces that are being put together: spans come late, twice, in any order and from several requests.

    spans ──add──▶ open traces ──due──▶ trees          a local root and all spans of its process below it
                       │                               … some seconds after the root came
                       ├──────────────▶ bare spans     their root did not come in time, or the trace was closed before
                       └─────────────── closed traces  remembered for a while: what comes twice counts once

A trace is put together for each source apart; what other services did in it is of no concern here. A tree is taken out
as soon as its root has settled, though other trees of the same trace are still open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from burnish_tools.collector.otlp.resource import Source
from burnish_tools.collector.otlp.span import CLIENT, LIKELY, PRODUCER, SURE, Span

Key = tuple[Source, str]
_WIDTH = 16
"""Hex digits of a span's id."""
_FEW = 64


@dataclass(frozen=True, slots=True)
class Tree:
    """Spans of one trace and source; `root` None: their root is not there, `entry` is then the trace's, if known."""

    source: Source
    trace: str
    root: Span | None
    entry: str
    spans: Sequence[Span]
    segment: int
    """The oldest part of the journal that holds one of them."""
    late: bool = False
    """They came when the trace was closed."""


class _Open:
    __slots__ = ("born", "due", "late", "roots", "segment", "spans")

    def __init__(self, born: int, segment: int, late: bool) -> None:
        self.born, self.segment, self.late = born, segment, late
        self.due = -1
        self.spans: dict[str, Span] = {}
        self.roots: dict[str, int] = {}


class _Closed:
    """Ids of spans that were taken: joined while they are few, which is smaller, a set when they are many."""

    __slots__ = ("count", "entry", "few", "many")

    def __init__(self) -> None:
        self.count, self.few, self.entry = 0, "", ""
        self.many: set[str] = set()

    def add(self, ids: str) -> None:
        self.count += len(ids) // _WIDTH
        self.few += ids
        if len(self.few) > _FEW * _WIDTH:
            self.many.update(self.few[at : at + _WIDTH] for at in range(0, len(self.few), _WIDTH))
            self.few = ""

    def has(self, identity: str) -> bool:
        at = self.few.find(identity)
        while at >= 0 and at % _WIDTH:
            at = self.few.find(identity, at + 1)
        return at >= 0 or identity in self.many


class Traces:
    """All open traces. Times are of the collector's clock, in Unix nanoseconds."""

    def __init__(self, settle_ns: int, unfinished_ns: int, max_spans: int, remembered: int) -> None:
        self._settle, self._unfinished = settle_ns, unfinished_ns
        self._max, self._remembered = max_spans, remembered
        self._open: dict[Key, _Open] = {}
        self._due: deque[tuple[int, Key]] = deque()
        self._closed: dict[Key, _Closed] = {}
        self._closed_spans = 0
        self.count = 0
        """Spans that wait."""
        self.duplicates = 0

    def add(self, source: Source, spans: Iterable[Span], now: int, segment: int) -> None:
        """Takes spans in; one that is known is left out."""
        for span in spans:
            key = source, span.trace
            closed = self._closed.get(key)
            trace = self._open.get(key)
            if (closed is not None and closed.has(span.id)) or (trace is not None and span.id in trace.spans):
                self.duplicates += 1
                continue
            if trace is None:
                trace = self._open[key] = _Open(now, segment, late=closed is not None)
                if closed is not None:
                    self._due.append((now + self._settle, key))
            trace.spans[span.id] = span
            self.count += 1
            if span.root:
                trace.roots[span.id] = now
                if trace.due != now:
                    trace.due = now
                    self._due.append((now + self._settle, key))

    def due(self, now: int) -> Iterator[Tree]:
        """Trees whose root has settled; then bare spans that waited too long."""
        while self._due and self._due[0][0] <= now:
            key = self._due.popleft()[1]
            if (trace := self._open.get(key)) is not None:
                yield from self._settled(key, trace, now)
        while self._open:
            key, trace = next(iter(self._open.items()))
            if trace.born + self._unfinished > now:
                return
            yield from self._all(key, trace)

    def crowded(self) -> Iterator[Tree]:
        """The oldest traces, while there are too many spans."""
        while self.count > self._max:
            yield from self._all(*next(iter(self._open.items())))

    def before(self, segment: int) -> Iterator[Tree]:
        """Everything of traces that began before this part of the journal."""
        for key in [key for key, trace in self._open.items() if trace.segment < segment]:
            yield from self._all(key, self._open[key])

    def rest(self) -> Iterator[Tree]:
        """Everything."""
        for key in list(self._open):
            yield from self._all(key, self._open[key])

    def oldest_segment(self) -> int | None:
        """The oldest part of the journal that an open trace needs."""
        return min((trace.segment for trace in self._open.values()), default=None)

    def remember(self, key: Key, ids: str) -> None:
        """Spans (ids, joined) that were taken before the collector was started; all of them, whatever the bound."""
        self._closed.setdefault(key, _Closed()).add(ids)
        self._closed_spans += len(ids) // _WIDTH

    def _settled(self, key: Key, trace: _Open, now: int) -> Iterator[Tree]:
        roots = [root for root, came in trace.roots.items() if came + self._settle <= now]
        if roots:
            yield from self._trees(key, trace, roots)
        if trace.late and trace.spans and trace.born + self._settle <= now and not trace.roots:
            yield from self._all(key, trace)

    def _all(self, key: Key, trace: _Open) -> Iterator[Tree]:
        yield from self._trees(key, trace, list(trace.roots))
        if trace.spans:
            closed, spans = self._closed.get(key), list(trace.spans.values())
            yield Tree(key[0], key[1], None, closed.entry if closed else "", spans, trace.segment, trace.late)
            self._take(key, trace, spans, "")

    def _trees(self, key: Key, trace: _Open, roots: list[str]) -> Iterator[Tree]:
        children: dict[str, list[Span]] = {}
        for span in trace.spans.values():
            children.setdefault(span.parent, []).append(span)
        for identity in roots:
            root = trace.spans.get(identity)
            if root is None or not _is_root(root, trace):
                trace.roots.pop(identity, None)
                continue
            spans = list(_below(root, children, trace))
            entry = root.what[0] if root.what is not None and type(root.what).__name__ == "Entry" else ""
            yield Tree(key[0], key[1], root, str(entry), spans, trace.segment, trace.late)
            self._take(key, trace, spans, str(entry))

    def _take(self, key: Key, trace: _Open, spans: Sequence[Span], entry: str) -> None:
        for span in spans:
            trace.spans.pop(span.id, None)
            trace.roots.pop(span.id, None)
        self.count -= len(spans)
        self._close(key, "".join(span.id for span in spans), entry)
        if not trace.spans:
            self._open.pop(key, None)

    def _close(self, key: Key, ids: str, entry: str) -> None:
        closed = self._closed.pop(key, None) or _Closed()
        closed.add(ids)
        closed.entry = entry or closed.entry
        self._closed[key] = closed
        self._closed_spans += len(ids) // _WIDTH
        while self._closed_spans > self._remembered and self._closed:
            oldest = self._closed.pop(next(iter(self._closed)))
            self._closed_spans -= oldest.count


def _is_root(span: Span, trace: _Open) -> bool:
    """A server's span that may be a root is none where a span of the same process encloses it (not one that asks)."""
    if span.root == SURE:
        return True
    parent = trace.spans.get(span.parent)
    return span.root == LIKELY and (parent is None or parent is span or parent.kind in {CLIENT, PRODUCER})


def _below(root: Span, children: dict[str, list[Span]], trace: _Open) -> Iterator[Span]:
    """The root and what is below it, parents first, without other roots; a loop of parents ends at the root."""
    waiting, seen = [root], {root.id}
    while waiting:
        span = waiting.pop()
        yield span
        for child in children.get(span.id, ()):
            if child.id not in seen and not (child.root and _is_root(child, trace)):
                seen.add(child.id)
                waiting.append(child)
