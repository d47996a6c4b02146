"""The window format of `docs/format.md` as values, and the reading of one line.

A line is decoded in C straight into typed values with their bounds (`bounded.py`). Unknown keys are ignored and missing
optional ones take their defaults, because changes to the format are additive. A window of a newer format is not guessed
at: `NewerFormat` says so, and who reads the line keeps it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, MsgspecError
from pydantic_core import from_json

from burnish.errors import DataError
from burnish_tools.runtime import limits
from burnish_tools.runtime.bounded import (
    Amount,
    Count,
    Counts,
    Distribution,
    Duration,
    Fact,
    Finite,
    Given,
    Name,
    Nanoseconds,
    Part,
    Rows,
    Text,
    Whole,
)

FORMAT = 1
"""The newest format that this reader knows."""


class NewerFormat(DataError):
    """The line was written by a sensor that is newer than this reader."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"the window has format {found} and this Burnish reads up to {FORMAT}: upgrade Burnish "
            "(the line is kept and is read then)"
        )
        self.format = found


class SiteRow(Part, frozen=True):
    """A place in the code."""

    function: Name
    file: Name = ""
    line: Count = 0


class Definition(Part, frozen=True):
    """What is known of a function's code; `body` is the hash of its normalised source."""

    file: Name = ""
    line: Count = 0
    end_line: Count = 0
    body: Name = ""
    kind: Name = "function"


class Statement(Part, frozen=True):
    """A normalised statement."""

    text: Text
    system: Name = ""


class EntryRow(Part, frozen=True, kw_only=True):
    """One entry; `wall` in ns, `queries` executions per call."""

    entry: Name
    kind: Name = ""
    calls: Count
    errors: Counts = {}
    status: Counts = {}
    wall: Distribution = Distribution()
    queries: Distribution = Distribution()


class SamplingError(Part, frozen=True):
    """Standard errors of a sampled row's number of calls and sum of wall time (ns)."""

    calls: Amount = 0
    wall: Amount = 0


class CallRow(Part, frozen=True, kw_only=True):
    """One (function, entry); times in ns. Already weighted where calls were sampled (`rate` calls for one)."""

    function: Name
    entry: Name
    calls: Count
    errors: Counts = {}
    wall: Distribution
    own: Distribution
    callers: Counts = {}
    rate: Amount = 1
    error: SamplingError = SamplingError()


class QueryRow(Part, frozen=True, kw_only=True):
    """One (statement, call site, entry); `wall` in ns, `rows` None where the driver does not tell."""

    statement: Name
    function: Name
    file: Name = ""
    line: Count = 0
    entry: Name
    executions: Count
    errors: Counts = {}
    wall: Distribution
    rows: Count | None = None


class DriverRow(Part, frozen=True):
    """Regression sums of executions (y) on rows of the driving statement (x)."""

    statement: Name
    site: SiteRow
    n: Count
    sum_x: Finite
    sum_y: Finite
    sum_xx: Finite
    sum_xy: Finite
    sum_yy: Finite


class PerCallRow(Part, frozen=True, kw_only=True):
    """How often one call of `function`, its callees included, ran one statement."""

    function: Name
    statement: Name
    site: SiteRow
    entry: Name
    calls: Count
    executions: Distribution
    identical: Count = 0
    time_ns: Amount = 0
    driver: DriverRow | None = None


class DependencyRow(Part, frozen=True, kw_only=True):
    """Calls of one other service: one (kind, peer, operation, call site, entry); `wall` in ns."""

    kind: Name
    peer: Name
    operation: Name
    function: Name
    file: Name = ""
    line: Count = 0
    entry: Name
    calls: Count
    errors: Counts = {}
    timeouts: Count = 0
    retries: Count = 0
    wall: Distribution


class ExemplarRow(Part, frozen=True, kw_only=True):
    """One call that was looked at; becomes a `burnish.conditions.Exemplar`."""

    function: Name
    entry: Name = ""
    sample: Name
    slow: bool
    wall_ns: Duration
    own_ns: Nanoseconds = 0
    facts: Annotated[dict[Name, Fact], Meta(max_length=limits.ROWS)] = {}
    rate: Amount = 1


class LookedRow(Part, frozen=True):
    """How many calls of a function there were to be looked at; becomes a `burnish.conditions.Looked`."""

    function: Name
    calls: Count
    slow_ns: Count = 0
    slow_calls: Count = 0
    slow_kept: Count = 0
    uniform_every: Count = 0
    uniform_seen: Count = 0
    uniform_kept: Count = 0
    rate: Amount = 1
    hurried: bool = False


class Sensor(Part, frozen=True, omit_defaults=False):
    """The sensor about itself; times are CPU nanoseconds in this window."""

    version: Name = ""
    mechanism: Name = ""
    overhead_ns: Nanoseconds = 0
    process_cpu_ns: Nanoseconds = 0
    dropped: Counts = {}


class Window(Part, frozen=True, kw_only=True):
    """What one process did in one span of time."""

    format: Annotated[int, Meta(ge=1)]
    service: Given
    environment: Name = "production"
    release: Name = "unknown"
    instance: Given
    sequence: Whole
    start_unix_ns: Whole
    end_unix_ns: Whole
    python: Name = ""
    sensor: Sensor = Sensor()
    functions: dict[Name, Definition] = {}
    statements: dict[Name, Statement] = {}
    entries: Rows[EntryRow] = ()
    calls: Rows[CallRow] = ()
    queries: Rows[QueryRow] = ()
    per_call: Rows[PerCallRow] = ()
    dependencies: Rows[DependencyRow] = ()
    exemplars: Rows[ExemplarRow] = ()
    conditions: Rows[LookedRow] = ()


def parse(line: bytes | str) -> Window:
    """One line as a window, without the rows that are beyond `limits`: they are counted in `sensor.dropped`.

    Raises NewerFormat, or DataError that says what is wrong with the line.
    """
    try:
        return _sound(_DECODER.decode(line))
    except (MsgspecError, ValueError, RecursionError):
        pass
    try:
        raw = from_json(line)  # takes NaN, of which the decoder says no more than that it is no JSON
    except ValueError as error:
        raise DataError(f"Invalid JSON: {error}") from None
    return _sound(_row_by_row(raw))


def of_plain(raw: dict[str, Any]) -> Window:
    """A window of dictionaries and lists that were made here, with the same bounds. Raises what `parse` raises."""
    try:
        return _sound(msgspec.convert(raw, Window))
    except MsgspecError:
        return _sound(_row_by_row(raw))


def line_of(window: Window) -> bytes:
    """A window as a line that `parse` reads, without its end."""
    return msgspec.json.encode(window)


_DECODER = msgspec.json.Decoder(Window)


def _sound(window: Window) -> Window:
    if window.format > FORMAT:
        raise NewerFormat(window.format)
    if window.end_unix_ns < window.start_unix_ns:
        raise DataError("end_unix_ns lies before start_unix_ns")
    if window.end_unix_ns - window.start_unix_ns > limits.LONGEST_NS:
        raise DataError("the window is longer than a day")
    return window


# ── windows with something wrong in them ─────────────────────────────────────────────────────────────────────────────

_LISTS: dict[str, type[Part]] = {
    "entries": EntryRow,
    "calls": CallRow,
    "queries": QueryRow,
    "per_call": PerCallRow,
    "dependencies": DependencyRow,
    "exemplars": ExemplarRow,
    "conditions": LookedRow,
}
_NAMED: dict[str, type[Part]] = {"functions": Definition, "statements": Statement}
_COUNTED = {"calls": "functions", "queries": "statements", "per_call": "statements", "conditions": "exemplars"}
"""What a row counts as that is left out, where not as its list's name."""
_BEYOND = re.compile(r"([<>]=? \S+|out of range)$")
"""How msgspec says that a value or a length is beyond its bound; everything else is a wrong type or a missing key."""
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_HUGE = 10**400
"""Beyond every bound, of whole numbers too."""


def _row_by_row(raw: Any) -> Window:
    """A window of which something is wrong: all but its rows that are beyond the bounds."""
    if not isinstance(raw, dict):
        raise DataError("a window is a JSON object")
    found = raw.get("format")
    if type(found) is int and found > FORMAT:
        raise NewerFormat(found)
    raw, dropped = _plain(raw), Counter[str]()
    for part, kind in _LISTS.items():
        if isinstance(rows := raw.get(part), list):
            kept = [row for place, row in enumerate(rows) if _is_within(row, kind, f"{part}.{place}")]
            raw[part] = kept
            dropped[_COUNTED.get(part, part)] += len(rows) - len(kept)
    for part, kind in _NAMED.items():
        if isinstance(named := raw.get(part), dict):
            kept_names = {key: value for key, value in named.items() if _is_named_within(key, value, kind, part)}
            raw[part] = kept_names
            dropped[part] += len(named) - len(kept_names)
    window = _converted(raw, Window, "")
    told = Counter(window.sensor.dropped) + dropped
    return msgspec.structs.replace(window, sensor=msgspec.structs.replace(window.sensor, dropped=dict(told)))


def _is_within(row: Any, kind: Any, where: str) -> bool:
    """Whether a row is within the bounds. Raises DataError where it has a wrong type or misses a key."""
    try:
        msgspec.convert(row, kind)
    except MsgspecError as error:
        said, place = _said(error)
        if _BEYOND.search(said):
            return False
        raise DataError(f"{'.'.join(filter(None, (where, place)))}: {said}") from None
    return True


def _is_named_within(key: str, value: Any, kind: Any, part: str) -> bool:
    return len(key) <= limits.NAME and _is_within(value, kind, f"{part}.{key[:80]}")


def _converted(raw: Any, kind: type[Window], where: str) -> Window:
    try:
        return msgspec.convert(raw, kind)
    except MsgspecError as error:
        said, place = _said(error)
        raise DataError(f"{place}: {said}" if place else said) from None


def _said(error: Exception) -> tuple[str, str]:
    """What msgspec says of a value, and where that is: `calls.0.wall`."""
    text = str(error)
    found = _PLACE.search(text)
    said = text[: found.start()] if found else text
    place = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", found[1]).lstrip(".") if found else ""
    missing = _MISSING.fullmatch(said)
    if missing:
        return "Field required", f"{place}.{missing[1]}".lstrip(".")
    return said, place


def _plain(value: Any) -> Any:
    """The same with whole numbers as such (5.0 is one), and a number beyond every bound for one that is not finite."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return _HUGE
        return int(value) if value.is_integer() else value
    return value
