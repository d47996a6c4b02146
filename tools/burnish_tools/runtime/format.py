"""The window format of `docs/format.md` as models, and the reading of one line.

Unknown keys are ignored and missing optional ones take their defaults, because changes to the format are additive. A
window of a newer format is not guessed at: `NewerFormat` says so, and who reads the line keeps it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from burnish.conditions import Exemplar, Looked
from burnish.errors import DataError
from burnish.histogram import Histogram

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

    function: str
    file: str = ""
    line: int = 0


class Definition(_Part):
    """What is known of a function's code; `body` is the hash of its normalised source."""

    file: str = ""
    line: int = 0
    end_line: int = 0
    body: str = ""
    kind: str = "function"


class Statement(_Part):
    """A normalised statement."""

    text: str
    system: str = ""


class EntryRow(_Part):
    """One entry; `wall` in ns, `queries` executions per call."""

    entry: str
    kind: str = ""
    calls: NonNegativeInt
    errors: dict[str, int] = {}
    status: dict[str, int] = {}
    wall: Histogram = Histogram()
    queries: Histogram = Histogram()


class SamplingError(_Part):
    """Standard errors of a sampled row's number of calls and sum of wall time (ns)."""

    calls: NonNegativeFloat = 0
    wall: NonNegativeFloat = 0


class CallRow(_Part):
    """One (function, entry); times in ns. Already weighted where calls were sampled (`rate` calls for one)."""

    function: str
    entry: str
    calls: NonNegativeInt
    errors: dict[str, int] = {}
    wall: Histogram
    own: Histogram
    callers: dict[str, int] = {}
    rate: NonNegativeFloat = 1
    error: SamplingError = SamplingError()


class QueryRow(_Part):
    """One (statement, call site, entry); `wall` in ns, `rows` None where the driver does not tell."""

    statement: str
    function: str
    file: str = ""
    line: int = 0
    entry: str
    executions: NonNegativeInt
    errors: dict[str, int] = {}
    wall: Histogram
    rows: int | None = None


class DriverRow(_Part):
    """Regression sums of executions (y) on rows of the driving statement (x)."""

    statement: str
    site: SiteRow
    n: NonNegativeInt
    sum_x: float
    sum_y: float
    sum_xx: float
    sum_xy: float
    sum_yy: float


class PerCallRow(_Part):
    """How often one call of `function`, its callees included, ran one statement."""

    function: str
    statement: str
    site: SiteRow
    entry: str
    calls: NonNegativeInt
    executions: Histogram
    identical: NonNegativeInt = 0
    time_ns: float = 0
    driver: DriverRow | None = None


class DependencyRow(_Part):
    """Calls of one other service: one (kind, peer, operation, call site, entry); `wall` in ns."""

    kind: str
    peer: str
    operation: str
    function: str
    file: str = ""
    line: int = 0
    entry: str
    calls: NonNegativeInt
    errors: dict[str, int] = {}
    timeouts: NonNegativeInt = 0
    retries: NonNegativeInt = 0
    wall: Histogram


class Sensor(_Part):
    """The sensor about itself; times are CPU nanoseconds in this window."""

    version: str = ""
    mechanism: str = ""
    overhead_ns: int = 0
    process_cpu_ns: int = 0
    dropped: dict[str, int] = {}


class Window(_Part):
    """What one process did in one span of time."""

    format: int = Field(ge=1)
    service: str
    environment: str = "production"
    release: str = "unknown"
    instance: str
    sequence: NonNegativeInt
    start_unix_ns: NonNegativeInt
    end_unix_ns: NonNegativeInt
    python: str = ""
    sensor: Sensor = Sensor()
    functions: dict[str, Definition] = {}
    statements: dict[str, Statement] = {}
    entries: tuple[EntryRow, ...] = ()
    calls: tuple[CallRow, ...] = ()
    queries: tuple[QueryRow, ...] = ()
    per_call: tuple[PerCallRow, ...] = ()
    dependencies: tuple[DependencyRow, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    conditions: tuple[Looked, ...] = ()


class _Header(_Part):
    format: int


def parse(line: bytes | str) -> Window:
    """One line as a window. Raises NewerFormat, or DataError that says what is wrong with the line."""
    try:
        window = Window.model_validate_json(line)
    except ValidationError as error:
        _refuse_newer(_format(line))
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    _refuse_newer(window.format)
    if window.end_unix_ns < window.start_unix_ns:
        raise DataError("end_unix_ns lies before start_unix_ns")
    return window


def _refuse_newer(found: int) -> None:
    if found > FORMAT:
        raise NewerFormat(found)


def _format(line: bytes | str) -> int:
    try:
        return _Header.model_validate_json(line).format
    except ValidationError:
        return FORMAT
