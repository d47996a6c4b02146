"""Names of kinds and digests of content, as the canonical forms use them."""

from __future__ import annotations

import hashlib


def name_of(kind: type) -> str:
    """Without the module for what is built in."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def digest_of(data: bytes) -> str:
    """Digest and length."""
    return f"{hashlib.sha256(data).hexdigest()[:32]}/{len(data)}"
