"""Spans of a request as our spans."""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

from burnish_tools.collector.otlp import names
from burnish_tools.collector.otlp.attributes import Attributes
from burnish_tools.collector.otlp.resource import Source, source
from burnish_tools.collector.otlp.span import (
    CLIENT,
    CONSUMER,
    LIKELY,
    PRODUCER,
    SERVER,
    SURE,
    Dependency,
    Entry,
    Query,
    Span,
)
from burnish_tools.collector.otlp.statements import Statements

_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
"""Of OTLP's SpanFlags, about the parent."""
_ERROR = 2
_SQL = frozenset(
    [
        "sqlite",
        "postgresql",
        "mysql",
        "mariadb",
        "mssql",
        "microsoft.sql_server",
        "oracle",
        "oracle.db",
        "db2",
        "ibm.db2",
        "cockroachdb",
        "redshift",
        "aws.redshift",
        "clickhouse",
        "trino",
        "presto",
        "snowflake",
        "hive",
        "other_sql",
        "sqlserver",
        "firebird",
        "firebirdsql",
        "h2",
        "hsqldb",
        "derby",
        "gcp.spanner",
        "spanner",
        "sap.hana",
        "hanadb",
        "teradata",
        "vertica",
        "cloudscape",
        "ingres",
        "informix",
        "maxdb",
        "sybase",
    ]
)
"""Database systems whose statements are SQL; calls of others (redis, memcached, mongodb, …) are dependencies."""


class Read(NamedTuple):
    """A request's spans by who sent them; what could not be used."""

    groups: list[tuple[Source, list[Span]]]
    rejected: int
    reason: str


def spans(request: ExportTraceServiceRequest, statements: Statements) -> Read:
    """All that have a trace id, a span id and an end."""
    groups: list[tuple[Source, list[Span]]] = []
    rejected, reason = 0, ""
    for resource in request.resource_spans:
        found: list[Span] = []
        for scope in resource.scope_spans:
            name = scope.scope.name[: names.LONGEST]
            for message in scope.spans:
                if wrong := _wrong(message):
                    rejected, reason = rejected + 1, wrong
                else:
                    found.append(_span(message, name, statements))
        if found:
            groups.append((source(resource.resource), found))
    return Read(groups, rejected, reason)


def _wrong(message: Message) -> str:
    if len(message.trace_id) != 16 or not any(message.trace_id):
        return "a trace id has 16 bytes that are not all 0"
    if len(message.span_id) != 8 or not any(message.span_id):
        return "a span id has 8 bytes that are not all 0"
    return "" if message.end_time_unix_nano else "a span without an end"


def _span(message: Message, scope: str, statements: Statements) -> Span:
    found = Attributes(message.attributes)
    kind, parent, flags = message.kind, message.parent_span_id, message.flags
    root = _root(kind, any(parent), flags)
    error = _error(message, found)
    what = _what(message, kind, root, found, scope, error, statements)
    if isinstance(what, Dependency) and not error.startswith("HTTP 5") and 400 <= found.numbers.get("status", 0) < 500:
        error = ""  # the answer of a service that works
    function, file, line = _function(message, found, what)
    return Span(
        message.trace_id.hex(),
        message.span_id.hex(),
        parent.hex() if root != SURE else "",
        kind,
        root,
        message.start_time_unix_nano or message.end_time_unix_nano,
        message.end_time_unix_nano,
        function,
        file,
        line,
        error,
        what,
    )


def _root(kind: int, has_parent: bool, flags: int) -> int:
    """The flags tell whether the parent is of another process. Without them a server's or consumer's likely is."""
    if not has_parent:
        return SURE
    if flags & _HAS_IS_REMOTE:
        return SURE if flags & _IS_REMOTE else 0
    return LIKELY if kind in {SERVER, CONSUMER} else 0


def _what(
    message: Message, kind: int, root: int, found: Attributes, scope: str, error: str, statements: Statements
) -> Entry | Query | Dependency | None:
    if system := found.text("system").lower():
        return _database(system, found, scope, error, statements)
    if kind == CLIENT:
        return _client(found, names.is_timeout(error))
    if kind in {SERVER, CONSUMER} or (root and kind != PRODUCER):
        return _entry(message, kind, found)
    return None


def _database(
    system: str, found: Attributes, scope: str, error: str, statements: Statements
) -> Query | Dependency | None:
    system = names.word(system, "other_sql")
    operation = found.text("operation")
    if system not in _SQL:
        peer = names.peer(found.text("host"), found.numbers.get("port", 0))
        return Dependency(system, peer, names.word(operation, "<command>"), names.is_timeout(error), False)
    text = found.text("text") or found.text("summary") or f"{operation} {found.text('collection')}".strip()
    if not text:
        return None  # a connection that is opened
    key, repeat = statements.identify(text, system, found.text("parameters") + found.parameters)
    rows = found.numbers.get("rows")
    return Query(key, repeat, rows if rows is None or 0 <= rows < 1 << 53 else None, scope)


def _client(found: Attributes, timeout: bool) -> Dependency | None:
    host, port, url = found.text("host"), found.numbers.get("port", 0), found.text("url")
    if given := found.text("method"):
        peer = names.url_peer(url) if url and not (host and port) else names.peer(host, port)
        return Dependency("http", peer, names.method(given), timeout, found.numbers.get("resend", 0) > 0)
    if found.text("rpc"):
        operation = f"{found.text('rpc_service')}/{found.text('rpc_method')}".strip("/")
        return Dependency("rpc", names.peer(host, port), names.scrubbed(operation), timeout, False)
    return None


def _entry(message: Message, kind: int, found: Attributes) -> Entry:
    if given := found.text("method"):
        status = found.numbers.get("status", 0)
        name = f"{names.method(given)} {names.route(found.text('route'))}"
        return Entry(name, "http", str(status) if 100 <= status < 600 else "")
    if found.text("rpc"):
        operation = f"{found.text('rpc_service')}/{found.text('rpc_method')}".strip("/")
        return Entry(f"rpc:{names.scrubbed(operation or message.name)}", "rpc", "")
    if kind == CONSUMER:
        task = found.text("task") or found.text("destination") or message.name
        return Entry(f"task:{names.scrubbed(task)}", "task", names.word(found.text("state"), ""))
    return Entry(f"job:{names.scrubbed(message.name)}", "job", "")


def _function(message: Message, found: Attributes, what: Entry | Query | Dependency | None) -> tuple[str, str, int]:
    qualified = found.text("function") or ".".join(
        part for part in (found.text("namespace"), found.text("short_function")) if part
    )
    if qualified and (named := names.function(qualified, found.text("path"))):
        line = found.numbers.get("line", 0)
        return *named, line if 0 < line < 1 << 31 else 0
    if isinstance(what, (Query, Dependency)):
        return "", "", 0
    if isinstance(what, Entry) and what.kind in {"http", "rpc"}:
        return names.PSEUDO + what.name, "", 0
    return names.PSEUDO + names.scrubbed(message.name), "", 0


def _error(message: Message, found: Attributes) -> str:
    """Type of the exception that ended it, or an HTTP status of 500 and above; `""` where there was no error."""
    status = found.numbers.get("status", 0)
    if message.status.code != _ERROR:
        return f"HTTP {status}" if 500 <= status < 600 else ""
    for event in reversed(message.events):
        for one in event.attributes if event.name == "exception" else ():
            if one.key == "exception.type" and one.value.string_value:
                return names.error_type(one.value.string_value)
    if given := found.text("error"):
        return names.error_type(given)
    return f"HTTP {status}" if 500 <= status < 600 else "<error>"
