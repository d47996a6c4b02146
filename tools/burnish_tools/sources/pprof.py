"""Profiles in pprof's format: `profile.proto`, gzipped or not, as continuous profilers write them.

The message is declared here field by field (github.com/google/pprof/proto/profile.proto); only what is read is, as
protobuf skips what it does not know. In a sample the innermost location comes first, in a location the innermost
inlined line.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from burnish.errors import DataError
from burnish_tools.sources.samples import Samples

MOST_BYTES = 256 << 20
"""Of one profile, unpacked."""
_GZIP = b"\x1f\x8b"
_COUNTS = ("samples", "sample", "count")
_FIELDS: dict[str, tuple[tuple[int, str, str], ...]] = {
    "ValueType": ((1, "type", "int64"), (2, "unit", "int64")),
    "Sample": ((1, "location_id", "uint64*"), (2, "value", "int64*")),
    "Line": ((1, "function_id", "uint64"), (2, "line", "int64")),
    "Location": ((1, "id", "uint64"), (4, "line", "Line*")),
    "Function": ((1, "id", "uint64"), (2, "name", "int64"), (4, "filename", "int64")),
    "Profile": (
        (1, "sample_type", "ValueType*"),
        (2, "sample", "Sample*"),
        (4, "location", "Location*"),
        (5, "function", "Function*"),
        (6, "string_table", "string*"),
        (12, "period", "int64"),
    ),
}


class Pprof:
    """Reads one file."""

    name = "pprof"
    suffixes = (".pprof", ".prof", ".pb.gz", ".pb")

    def read(self, data: bytes) -> Samples | None:
        """None where it is another format. Raises DataError where it is this one and cannot be used."""
        if data[:1] in (b"{", b"["):
            return None
        profile = _profile_type()()
        try:
            profile.ParseFromString(_unpacked(data) if data[:2] == _GZIP else data)
        except DecodeError as error:
            raise DataError(f"no pprof profile: {error}") from None
        try:
            return _samples(profile)
        except (IndexError, KeyError) as error:
            raise DataError(f"a broken pprof profile: it names {error}, which is not in it") from None


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise DataError(f"no pprof profile: {error}") from None
    if not unpacker.eof:
        raise DataError(f"a pprof profile that is cut off, or of more than {MOST_BYTES >> 20} MB")
    return plain


def _samples(profile: Any) -> Samples:
    text = profile.string_table
    functions = {each.id: (text[each.name], text[each.filename]) for each in profile.function}
    places = {
        each.id: (*functions[each.line[0].function_id], each.line[0].line) for each in profile.location if each.line
    }
    kinds = [text[kind.type] for kind in profile.sample_type]
    counted = next((kinds.index(name) for name in _COUNTS if name in kinds), None)
    found = Samples()
    for sample in profile.sample:
        if sample.location_id and sample.location_id[0] in places:
            n = _count(sample.value, counted, profile.period)
            found.add(*places[sample.location_id[0]], n)
    return found


def _count(values: Any, counted: int | None, period: int) -> int:
    """Samples behind one row: as counted, else its value in periods, else 1."""
    if counted is not None and counted < len(values):
        return int(values[counted])
    return round(values[-1] / period) if period > 0 and len(values) else 1


@functools.cache
def _profile_type() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="burnish/pprof.proto", package="burnish.pprof", syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            _declare(message.field.add(name=field, number=number), kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call,unused-ignore]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("burnish.pprof.Profile"))


def _declare(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    proto = descriptor_pb2.FieldDescriptorProto
    field.label = proto.LABEL_REPEATED if kind.endswith("*") else proto.LABEL_OPTIONAL
    plain = kind.removesuffix("*")
    types = {"int64": proto.TYPE_INT64, "uint64": proto.TYPE_UINT64, "string": proto.TYPE_STRING}
    field.type = types.get(plain, proto.TYPE_MESSAGE)
    if plain not in types:
        field.type_name = f".burnish.pprof.{plain}"
