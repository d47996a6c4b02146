"""The attributes that are read, by their names in old and new semantic conventions; all others are passed over.

Source: opentelemetry.io/docs/specs/semconv, and the names of before their stabilisation (HTTP 1.23, database 1.28,
code 1.33), which the Python instrumentations still send unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

TEXTS: dict[str, tuple[str, ...]] = {
    "method": ("http.request.method", "http.method"),
    "route": ("http.route",),
    "target": ("http.target",),
    "url": ("url.full", "http.url"),
    "host": ("server.address", "net.peer.name", "net.sock.peer.addr", "network.peer.address"),
    "error": ("error.type",),
    "system": ("db.system.name", "db.system"),
    "text": ("db.query.text", "db.statement"),
    "parameters": ("db.statement.parameters",),
    "summary": ("db.query.summary",),
    "operation": ("db.operation.name", "db.operation"),
    "collection": ("db.collection.name", "db.sql.table"),
    "rpc": ("rpc.system.name", "rpc.system"),
    "rpc_service": ("rpc.service",),
    "rpc_method": ("rpc.method",),
    "messaging": ("messaging.system",),
    "destination": ("messaging.destination.template", "messaging.destination.name", "messaging.destination"),
    "task": ("celery.task_name", "faas.name"),
    "state": ("celery.state",),
    "function": ("code.function.name",),
    "short_function": ("code.function",),
    "namespace": ("code.namespace",),
    "path": ("code.file.path", "code.filepath"),
}
NUMBERS: dict[str, tuple[str, ...]] = {
    "status": ("http.response.status_code", "http.status_code"),
    "port": ("server.port", "net.peer.port"),
    "resend": ("http.request.resend_count", "http.resend_count"),
    "rows": ("db.response.returned_rows",),
    "line": ("code.line.number", "code.lineno"),
}
PARAMETER = "db.query.parameter."
LONGEST = 2_000
"""Characters of a text that is kept while a span is read; statements come whole, as the middle of a literal must not
become the end of a text."""


class _Wanted(NamedTuple):
    name: str
    number: bool
    rank: int


WANTED = {
    key: _Wanted(name, table is NUMBERS, rank)
    for table in (TEXTS, NUMBERS)
    for name, keys in table.items()
    for rank, key in enumerate(keys)
}


class Attributes:
    """What a span or data point says that we know of; a newer name counts before an older one."""

    __slots__ = ("numbers", "parameters", "texts")

    def __init__(self, attributes: Iterable[KeyValue]) -> None:
        self.texts: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.parameters = ""
        ranks: dict[str, int] = {}
        for one in attributes:
            key = one.key
            wanted = WANTED.get(key)
            if wanted is None:
                if key.startswith(PARAMETER):
                    self.parameters += f"{key}={one.value.SerializeToString()!r};"
                continue
            name, number, rank = wanted
            if name in ranks and ranks[name] < rank:
                continue
            if number:
                if (n := _number(one.value)) is not None:
                    self.numbers[name] = n
                    ranks[name] = rank
            elif text := one.value.string_value:
                self.texts[name] = text if name in {"text", "parameters"} else text[:LONGEST]
                ranks[name] = rank

    def text(self, name: str) -> str:
        """`""` where it is not there."""
        return self.texts.get(name, "")


def _number(value: AnyValue) -> int | None:
    """An integer, also one that was sent as a string; nothing else."""
    if value.HasField("int_value"):
        return int(value.int_value)
    text = value.string_value
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
