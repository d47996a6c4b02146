"""What a window may be, beyond its types: every number finite and plausible, every name and table bounded.

A window comes from a client that may be broken or hostile, and its numbers are added to those of its hour: one count of
2^62 would make every later sum of that hour overflow, one bucket at the far end of the scale a sum of a gigabyte.
The bounds are far from what a process can do in the longest window (an hour).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from burnish.errors import DataError
from burnish.histogram import Histogram
from burnish_tools.runtime.format import PerCallRow, Window

MOST = 10**12
"""Of any count in a window: 100 million a second for 3 hours. 9 million such windows still add up in 63 bits."""
LONGEST_NS = 24 * 3600 * 10**9
"""Length of a window: the sensor's longest is an hour; more would dilute every rate."""
AHEAD_NS = 3600 * 10**9
"""How far clocks may be ahead of ours: what is old is rolled up by the newest window, so one of next year ages all."""
LARGEST = 1e24
"""Of any sum: 10^12 calls of 1,000 s in ns, squared sums of rows included."""
SHORT, LONG = 500, 4000
"""Characters of a service, release or instance; of a function, entry, file or name of an error."""
TEXT = 200_000
"""Characters of a statement."""
ROWS = 200_000
"""Rows of one table."""
FACTS = 200
"""Facts of one exemplar; the sensor looks at six parameters of a call."""
LABELS = 20_000
"""Names in one row: types of errors, status codes, callers."""
FINEST = 8
"""Scale of a histogram (buckets of 0.3 %); the sensor's is 3. A sum of two may have 2 × EXPONENT × 2^scale buckets."""
BUCKETS = 4096
"""Buckets of a histogram; the sensor's have at most some 500, OpenTelemetry's 160."""
EXPONENT = 96
"""Values lie between 2^-96 and 2^96."""


Row = TypeVar("Row")


def check(window: Window, now_ns: int) -> None:
    """Raises DataError that names the field."""
    _header(window, now_ns)
    for name, table in (("functions", window.functions), ("statements", window.statements)):
        _size(name, len(table))
        for key in table:
            _text(name, key, LONG)
    for key, statement in window.statements.items():
        _text(f"statements.{key[:40]}.text", statement.text, TEXT)
        _text(f"statements.{key[:40]}.system", statement.system, SHORT)
    for key, code in window.functions.items():
        _text(f"functions.{key[:80]}.file", code.file, LONG)
        _text(f"functions.{key[:80]}.body", code.body + code.kind, SHORT)
        _count(f"functions.{key[:80]}.line", code.line)
        _count(f"functions.{key[:80]}.end_line", code.end_line)
    _rows(window)


def _header(window: Window, now_ns: int) -> None:
    for name in ("service", "environment", "release", "instance", "python"):
        _text(name, getattr(window, name), SHORT)
    if not window.service.strip() or not window.instance:
        raise DataError("service and instance must not be empty")
    _count("sequence", window.sequence)
    if window.end_unix_ns - window.start_unix_ns > LONGEST_NS:
        raise DataError("the window is longer than a day")
    if window.start_unix_ns > now_ns + AHEAD_NS:
        raise DataError("start_unix_ns lies in the future: set the clock of the machine that sent it")
    sensor = window.sensor
    _text("sensor.version", sensor.version + sensor.mechanism, SHORT)
    _labels("sensor.dropped", sensor.dropped)
    if max(abs(sensor.overhead_ns), abs(sensor.process_cpu_ns)) >= 2**62:
        raise DataError("sensor: a time is out of range")


def _rows(window: Window) -> None:
    for e in _each("entries", window.entries):
        _names("entries", e.entry, e.kind)
        _count("entries.calls", e.calls)
        _labels("entries.errors", e.errors)
        _labels("entries.status", e.status)
        _histogram("entries.wall", e.wall)
        _histogram("entries.queries", e.queries)
    for c in _each("calls", window.calls):
        _names("calls", c.function, c.entry)
        _count("calls.calls", c.calls)
        _labels("calls.errors", c.errors)
        _labels("calls.callers", c.callers)
        _histogram("calls.wall", c.wall)
        _histogram("calls.own", c.own)
        _sums("calls: rate or error", c.rate, c.error.calls, c.error.wall)
    for q in _each("queries", window.queries):
        _names("queries", q.statement, q.function, q.file, q.entry)
        _counts("queries: line, executions or rows", q.line, q.executions, q.rows or 0)
        _labels("queries.errors", q.errors)
        _histogram("queries.wall", q.wall)
    for p in _each("per_call", window.per_call):
        _per_call(p)
    for d in _each("dependencies", window.dependencies):
        _names("dependencies", d.kind, d.peer, d.operation, d.function, d.file, d.entry)
        _counts("dependencies: line, calls, timeouts or retries", d.line, d.calls, d.timeouts, d.retries)
        _labels("dependencies.errors", d.errors)
        _histogram("dependencies.wall", d.wall)
    _looked_at(window)


def _per_call(p: PerCallRow) -> None:
    _names("per_call", p.function, p.statement, p.site.function, p.site.file, p.entry)
    _counts("per_call: line, calls or identical", p.site.line, p.calls, p.identical)
    _histogram("per_call.executions", p.executions)
    _sums("per_call.time_ns", p.time_ns)
    if (d := p.driver) is not None:
        _names("per_call.driver", d.statement, d.site.function, d.site.file)
        _counts("per_call.driver: n or line", d.n, d.site.line)
        _sums("per_call.driver", d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy)


def _looked_at(window: Window) -> None:
    for x in _each("exemplars", window.exemplars):
        _names("exemplars", x.function, x.entry, x.sample, *x.facts)
        _sums("exemplars: wall_ns, own_ns or rate", x.wall_ns, x.own_ns, x.rate)
        if len(x.facts) > FACTS:
            raise DataError(f"exemplars: {len(x.facts):,} facts in one row; at most {FACTS}")
        for fact in x.facts.values():
            if isinstance(fact, str):
                _names("exemplars.facts", fact)
            else:
                _sums("exemplars.facts", fact)
    for k in _each("conditions", window.conditions):
        _names("conditions", k.function)
        _counts("conditions", k.calls, k.slow_calls, k.slow_kept, k.uniform_every, k.uniform_seen, k.uniform_kept)
        _sums("conditions: slow_ns or rate", k.slow_ns, k.rate)


def _each(name: str, rows: tuple[Row, ...]) -> Iterable[Row]:
    _size(name, len(rows))
    return rows


def _size(name: str, n: int) -> None:
    if n > ROWS:
        raise DataError(f"{name}: {n:,} rows in one window; at most {ROWS:,}")


def _text(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise DataError(f"{name}: a text of {len(text):,} characters; at most {most:,}")


def _names(table: str, *names: str) -> None:
    for name in names:
        if len(name) > LONG:
            _text(table, name, LONG)


def _count(name: str, n: int) -> None:
    if not 0 <= n <= MOST:
        raise DataError(f"{name}: not a plausible count")


def _counts(name: str, *numbers: int) -> None:
    for n in numbers:
        _count(name, n)


def _sums(name: str, *numbers: float) -> None:
    if not all(-LARGEST <= number <= LARGEST for number in numbers):  # a NaN is in no range
        raise DataError(f"{name}: not a plausible number")


def _labels(name: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    if len(counts) > LABELS:
        raise DataError(f"{name}: {len(counts):,} names in one row; at most {LABELS:,}")
    for label, n in counts.items():
        if not 0 <= n <= MOST:
            raise DataError(f"{name}: not a plausible count")
        if len(label) > LONG:
            _text(name, label, LONG)


def _histogram(name: str, h: Histogram) -> None:
    """Written as one expression, as there are several in every row; a NaN is in no range."""
    reach = EXPONENT << max(h.scale, 0) if h.scale <= FINEST else 0
    low = 0.0 if h.min is None else h.min
    high = 0.0 if h.max is None else h.max
    if not (
        -10 <= h.scale <= FINEST
        and 0 <= h.count <= MOST
        and 0 <= h.zero <= MOST
        and 0 <= h.sum <= LARGEST
        and 0 <= low <= LARGEST
        and 0 <= high <= LARGEST
        and len(h.counts) <= BUCKETS
        and -reach <= h.offset <= reach
        and (not h.counts or (min(h.counts) >= 0 and max(h.counts) <= MOST))
    ):
        raise DataError(f"{name}: not a histogram that a process can have (docs/format.md)")
