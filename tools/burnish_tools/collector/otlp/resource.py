"""Who sent it: a resource as service, environment, release and instance."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from burnish_tools.collector.otlp.names import LONGEST

_RELEASE = ("vcs.ref.head.revision", "service.version", "deployment.id")
"""The commit first: two builds of one version are two releases, and fixes are looked up by commit."""
_ENVIRONMENT = ("deployment.environment.name", "deployment.environment")


class Source(NamedTuple):
    """Where windows come from; `instance` without the suffix of the collector's start."""

    service: str
    environment: str
    release: str
    instance: str


def source(resource: Resource) -> Source:
    """`unknown_service` and `unknown` where the resource does not say."""
    found = {one.key: one.value.string_value for one in resource.attributes if one.value.string_value}
    identity = found.get("service.instance.id", "")
    if not identity or len(identity) > LONGEST:
        texts = sorted(one.SerializeToString() for one in resource.attributes)
        identity = hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]
    return Source(
        found.get("service.name", "unknown_service")[:LONGEST],
        _first(found, _ENVIRONMENT, "production"),
        _first(found, _RELEASE, "unknown"),
        f"otlp:{identity}",
    )


def _first(found: dict[str, str], names: tuple[str, ...], otherwise: str) -> str:
    return next((found[name][:LONGEST] for name in names if name in found), otherwise)
