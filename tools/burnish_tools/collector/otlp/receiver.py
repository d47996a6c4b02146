"""OTLP requests in, windows out: what the collector's HTTP server calls."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from burnish.errors import DataError
from burnish_tools.collector.otlp import answer, decode, reading
from burnish_tools.collector.otlp.answer import Answer
from burnish_tools.collector.otlp.assembly import Traces, Tree
from burnish_tools.collector.otlp.journal import Journal
from burnish_tools.collector.otlp.metrics import Metrics
from burnish_tools.collector.otlp.outbox import Outbox
from burnish_tools.collector.otlp.resource import Source
from burnish_tools.collector.otlp.settings import SECOND, OtlpSettings
from burnish_tools.collector.otlp.span import Span
from burnish_tools.collector.otlp.statements import Normalise, Statements
from burnish_tools.collector.otlp.texts import Texts
from burnish_tools.collector.otlp.windows import Made, Windows
from burnish_tools.runtime.format import Window, of_plain
from burnish_tools.sql import normalise

RETRY_SECONDS = 5.0
_log = logging.getLogger("burnish.collector")


class OtlpReceiver:
    """Traces and metrics of any number of services. Safe to use from several threads.

    `sink` stores windows; it raises BurnishError where it cannot, and gets them again later. `clock` tells Unix
    nanoseconds. `normalise` takes the literals out of a statement. Accepted data that are not yet stored lie in
    `directory`; without one they are lost with the process.
    """

    def __init__(
        self,
        sink: Callable[[Sequence[Window]], None],
        clock: Callable[[], int],
        settings: OtlpSettings,
        *,
        normalise: Normalise = normalise,
        directory: Path | None = None,
    ) -> None:
        """Takes up what an earlier process left. Raises DataError where the directory is not usable."""
        self._clock, self._settings = clock, settings
        self._lock = threading.RLock()
        self._journal = Journal(directory)
        self._outbox = Outbox(sink)
        self._statements = Statements(normalise)
        self._texts = Texts()
        self._windows = Windows(settings, clock(), self._texts)
        self._traces = Traces(
            int(settings.settle_seconds * SECOND),
            int(settings.unfinished_seconds * SECOND),
            settings.max_spans,
            settings.remembered_spans,
        )
        self._metrics = Metrics(settings, clock())
        self._replay()

    def traces(self, body: bytes, json: bool) -> Answer:
        """An ExportTraceServiceRequest, inflated."""
        try:
            request = decode.traces(body, json)
        except decode.Undecodable as error:
            return answer.refused(str(error), json)
        with self._lock:
            if self._is_full():
                return self._later(json)
            read = reading.spans(request, self._statements)
            texts = self._statements.taken()
            try:
                self._journal.append(_spans_line(read.groups, texts))
            except OSError as error:
                return self._not_written(error, json)
            self._texts.update(texts)
            for source, spans in read.groups:
                self._add(source, spans, self._journal.segment)
            self._count(self._traces.crowded())
        return answer.traces_taken(json, read.rejected, read.reason)

    def metrics(self, body: bytes, json: bool) -> Answer:
        """An ExportMetricsServiceRequest, inflated."""
        try:
            request = decode.metrics(body, json)
        except decode.Undecodable as error:
            return answer.refused(str(error), json)
        with self._lock:
            if self._is_full():
                return self._later(json)
            change = self._metrics.read(request, self._windows, self._clock())
            try:
                if change.points:
                    windows = [to_builtins(window) for _, window in change.windows]
                    self._journal.append({"windows": windows, "streams": change.points})
            except OSError as error:
                return self._not_written(error, json)
            self._metrics.keep(change)
            due = self._clock() + int(self._settings.lateness_seconds * SECOND)
            for source, window in change.windows:
                self._outbox.hold(window, self._journal.segment, due, partial(self._metrics.wanted, source))
        return answer.metrics_taken(json, change.rejected, change.reason)

    def tick(self) -> None:
        """Closes what is due and stores it. Call it about once a second."""
        now = self._clock()
        with self._lock:
            self._count(self._traces.due(now))
            if self._journal.bytes > self._settings.journal_mb * 500_000:
                self._count(self._traces.before(self._journal.segment))
            self._make(self._windows.due(now))
        self._outbox.send(now)
        with self._lock:
            self._tidy()

    def close(self) -> None:
        """Closes and stores everything. What cannot be stored is stored after the next start."""
        with self._lock:
            self._count(self._traces.rest())
            self._make(self._windows.rest())
        self._outbox.send(None)
        with self._lock:
            self._tidy()
            self._journal.close()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_full(self) -> bool:
        return self._journal.bytes > self._settings.journal_mb * 1_000_000 or self._outbox.is_full()

    def _later(self, json: bool) -> Answer:
        return answer.later("the store does not keep up", json, RETRY_SECONDS)

    def _not_written(self, error: OSError, json: bool) -> Answer:
        _log.error("the journal of the collector cannot be written: %s", error.strerror or error)
        return answer.later("the collector cannot write", json, RETRY_SECONDS, status=503)

    def _count(self, trees: Iterable[Tree]) -> None:
        now = self._clock()
        for tree in trees:
            self._windows.add(tree, now)

    def _make(self, windows: Iterable[Made]) -> None:
        for made in windows:
            line: dict[str, object] = {"windows": [to_builtins(made.window)], "taken": [*made.source, made.taken]}
            try:
                self._journal.append(line)
            except OSError as error:  # only if this process is killed before they are stored, they count twice
                _log.error("the journal of the collector cannot be written: %s", error.strerror or error)
            self._outbox.hold(made.window, made.segment, 0, _always)

    def _tidy(self) -> None:
        """Deletes what is stored. A new segment begins with the last points of metrics: they are all that stays."""
        needed = (self._traces.oldest_segment(), self._windows.oldest_segment(), self._outbox.oldest_segment())
        oldest = min((one for one in needed if one is not None), default=self._journal.segment + 1)
        try:
            if self._journal.is_long() or (oldest > self._journal.segment and not self._journal.is_new()):
                self._journal.roll({"streams": self._metrics.rows(), "since": self._metrics.since})
            self._journal.release(min(oldest, self._journal.segment))
        except OSError as error:
            _log.error("the journal of the collector cannot be written: %s", error.strerror or error)

    def _replay(self) -> None:
        """Windows are stored again, as the store knows those that it has; spans that are in none are read again."""
        for read in (self._replay_windows, self._replay_spans):
            for segment, line in self._journal.lines():
                try:
                    read(segment, line)
                except (DataError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
                    _log.warning("a line of the collector's journal was not understood, skipped: %s", error)

    def _replay_windows(self, segment: int, line: dict[str, Any]) -> None:
        for window in map(of_plain, line.get("windows", ())):
            self._outbox.hold(window, segment, 0, self._wanted(window) if "streams" in line else _always)
        if "since" in line:
            self._metrics.listening_since(line["since"])
        self._metrics.restore(line.get("streams", ()))
        *source, traces = line.get("taken", ({},))
        for trace, ids in traces.items():
            self._traces.remember((Source(*source), trace), ids)

    def _replay_spans(self, segment: int, line: dict[str, Any]) -> None:
        self._texts.update({key: (text, system) for key, (text, system) in line.get("statements", {}).items()})
        for *source, rows in line.get("spans", ()):
            self._add(Source(*source), [Span.of_row(row) for row in rows], segment)

    def _wanted(self, window: Window) -> Callable[[], bool]:
        instance = window.instance.rpartition(":")[0]
        source = Source(window.service, window.environment, window.release, instance)
        return partial(self._metrics.wanted, source)

    def _add(self, source: Source, spans: list[Span], segment: int) -> None:
        self._metrics.traced(source)
        self._traces.add(source, spans, self._clock(), segment)


def _spans_line(groups: Iterable[tuple[Source, list[Span]]], texts: dict[str, tuple[str, str]]) -> dict[str, object]:
    return {"spans": [[*source, [span.row() for span in spans]] for source, spans in groups], "statements": texts}


def _always() -> bool:
    return True
