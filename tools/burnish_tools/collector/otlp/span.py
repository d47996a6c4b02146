"""A span without anything in it that might be a value of production: what the journal holds and traces are made of.

Statements are normalised, names scrubbed and attributes dropped before a span comes to be. So nothing raw is ever
written, not even for the seconds until its window is stored.
"""

from __future__ import annotations

from typing import Any, NamedTuple

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
"""Of OTLP's SpanKind; 1 is internal, 0 unspecified, others are unknown and treated as internal."""
LIKELY, SURE = 1, 2
"""How sure it is that no span of this process encloses this one."""


class Entry(NamedTuple):
    """What a span is where nothing of its process encloses it: one thing that was asked of the service."""

    name: str
    kind: str
    status: str


class Query(NamedTuple):
    """One execution of a SQL statement."""

    statement: str
    """Its id."""
    repeat: str
    """Salted hash of text and parameters; `""` where the parameters are not known."""
    rows: int | None
    scope: str
    """The instrumentation that saw it."""


class Dependency(NamedTuple):
    """One call of another service, cache or document store."""

    kind: str
    peer: str
    operation: str
    timeout: bool
    retry: bool


class Span(NamedTuple):
    """Ids in hex, times in Unix nanoseconds."""

    trace: str
    id: str
    parent: str
    kind: int
    root: int
    """0, LIKELY or SURE."""
    start: int
    end: int
    function: str
    """`module:Qualified` where attributes name one, else `<otel>:SPAN NAME`, else `""` (statements, dependencies)."""
    file: str
    line: int
    error: str
    """Its type; `""` for none."""
    what: Entry | Query | Dependency | None
    """None: it is a call of a function and nothing else."""

    @property
    def wall(self) -> int:
        """Nanoseconds; 0 where a clock was set back."""
        return max(0, self.end - self.start)

    def row(self) -> list[object]:
        """As values that JSON knows."""
        what = self.what
        return [*self[:-1], None if what is None else (type(what).__name__[0], *what)]

    @classmethod
    def of_row(cls, row: list[Any]) -> Span:
        """The inverse of `row`."""
        what = row[-1]
        return cls._make([*row[:-1], None if what is None else _KINDS[what[0]]._make(what[1:])])


_KINDS: dict[str, type[Entry] | type[Query] | type[Dependency]] = {"E": Entry, "Q": Query, "D": Dependency}
