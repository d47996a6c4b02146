"""The window format of `docs/format.md` as models, and the reading of one line.

Unknown keys are ignored and missing optional ones take their defaults, because changes to the format are additive. A
window of a newer format is not guessed at: `NewerFormat` says so, and who reads the line keeps it.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from burnish.conditions import Fact, Looked
from burnish.errors import DataError
from burnish.histogram import Histogram
from burnish_tools.runtime import limits
from burnish_tools.runtime.bounded import (
    Amount,
    Count,
    Counts,
    Distribution,
    Finite,
    Given,
    Name,
    Nanoseconds,
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


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SiteRow(_Part):
    """A place in the code."""

    function: Name
    file: Name = ""
    line: Count = 0


class Definition(_Part):
    """What is known of a function's code; `body` is the hash of its normalised source."""

    file: Name = ""
    line: Count = 0
    end_line: Count = 0
    body: Name = ""
    kind: Name = "function"


class Statement(_Part):
    """A normalised statement."""

    text: Text
    system: Name = ""


class EntryRow(_Part):
    """One entry; `wall` in ns, `queries` executions per call."""

    entry: Name
    kind: Name = ""
    calls: Count
    errors: Counts = {}
    status: Counts = {}
    wall: Distribution = Histogram()
    queries: Distribution = Histogram()


class SamplingError(_Part):
    """Standard errors of a sampled row's number of calls and sum of wall time (ns)."""

    calls: Amount = 0
    wall: Amount = 0


class CallRow(_Part):
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


class QueryRow(_Part):
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


class DriverRow(_Part):
    """Regression sums of executions (y) on rows of the driving statement (x)."""

    statement: Name
    site: SiteRow
    n: Count
    sum_x: Finite
    sum_y: Finite
    sum_xx: Finite
    sum_xy: Finite
    sum_yy: Finite


class PerCallRow(_Part):
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


class DependencyRow(_Part):
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


class Sensor(_Part):
    """The sensor about itself; times are CPU nanoseconds in this window."""

    version: Name = ""
    mechanism: Name = ""
    overhead_ns: Nanoseconds = 0
    process_cpu_ns: Nanoseconds = 0
    dropped: Counts = {}


class ExemplarRow(_Part):
    """One call that was looked at; `facts` are classes, never values; a recorded call stands for `rate` calls."""

    function: str
    entry: str = ""
    sample: str
    slow: bool
    wall_ns: Annotated[int, Field(ge=0, le=2**62)]
    own_ns: Annotated[int, Field(ge=-(2**62), le=2**62)] = 0
    facts: dict[str, Fact] = {}
    rate: float = 1.0


class Window(_Part):
    """What one process did in one span of time."""

    format: int = Field(ge=1)
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
    conditions: Rows[Looked] = ()


class _Header(_Part):
    format: int


def parse(line: bytes | str) -> Window:
    """One line as a window, without the rows that are beyond `limits`: they are counted in `sensor.dropped`.

    Raises NewerFormat, or DataError that says what is wrong with the line.
    """
    try:
        window = Window.model_validate_json(line)
    except ValidationError as error:
        _refuse_newer(_format(line))
        window = _without_rows_beyond_limits(line, error)
    _refuse_newer(window.format)
    if window.end_unix_ns < window.start_unix_ns:
        raise DataError("end_unix_ns lies before start_unix_ns")
    if window.end_unix_ns - window.start_unix_ns > limits.LONGEST_NS:
        raise DataError("the window is longer than a day")
    return window


_BEYOND = {"string_too_long", "too_long", "greater_than_equal", "less_than_equal", "finite_number"}
_COUNTED = {"calls": "functions", "queries": "statements", "per_call": "statements", "conditions": "exemplars"}
"""What a row counts as that is left out, where not as its list's name."""


def _without_rows_beyond_limits(line: bytes | str, error: ValidationError) -> Window:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    wrong = next((e for e in errors if e["type"] not in _BEYOND or len(e["loc"]) < 2), None)
    if wrong is not None:
        where = ".".join(str(part)[:80] for part in wrong["loc"])
        raise DataError(f"{where}: {wrong['msg']}" if where else wrong["msg"])
    raw = from_json(line)
    dropped = Counter({kind: n for kind, n in raw.get("sensor", {}).get("dropped", {}).items() if type(n) is int})
    for part, place in {(str(e["loc"][0]), e["loc"][1]) for e in errors}:
        _leave_out(raw, part, place)
        dropped[_COUNTED.get(part, part)] += 1
    raw["sensor"] = {**raw.get("sensor", {}), "dropped": dropped}
    for part, rows in raw.items():
        if isinstance(rows, list):
            raw[part] = [row for row in rows if row is not None]
    try:
        return Window.model_validate(raw)
    except ValidationError as again:
        raise DataError(str(again.errors(include_url=False, include_input=False)[0]["msg"])) from None


def _leave_out(raw: dict[str, Any], part: str, place: int | str) -> None:
    rows = raw[part]
    if isinstance(place, int):
        rows[place] = None
    elif place in rows:
        del rows[place]


def _refuse_newer(found: int) -> None:
    if found > FORMAT:
        raise NewerFormat(found)


def _format(line: bytes | str) -> int:
    try:
        return _Header.model_validate_json(line).format
    except ValidationError:
        return FORMAT
