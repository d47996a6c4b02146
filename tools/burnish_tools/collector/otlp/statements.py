"""Statements as ids: normalised once for each text, and never kept as they came."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable

from burnish_tools.collector.otlp.names import OTHER

Normalise = Callable[[str, str], str]
"""(text, system) → text without literals."""
_CACHED_TEXTS, _CACHED_LENGTH = 8_192, 4_000
_PLACEHOLDER = re.compile(r"\?|%s|%\(\w+\)s|\$\d+|(?<!:):[A-Za-z_]\w*|@\w+")


class Statements:
    """Identifies statements. Their normalised texts are taken away with `taken`."""

    def __init__(self, normalise: Normalise) -> None:
        self._normalise = normalise
        self._salt = secrets.token_bytes(32)
        self._cache: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._new: dict[str, tuple[str, str]] = {}

    def identify(self, text: str, system: str, parameters: str) -> tuple[str, str]:
        """The statement's id, and what tells a repetition with the same parameters (see `_repeat`)."""
        found = self._cache.get((text, system))
        if found is None:
            found = self._read(text, system)
        key, normalised, repeat = found
        self._new[key] = normalised, system
        return key, self._repeat(text, parameters) if parameters else repeat

    def taken(self) -> dict[str, tuple[str, str]]:
        """(text, system) by id, of all that were identified since the last time."""
        new, self._new = self._new, {}
        return new

    def _read(self, text: str, system: str) -> tuple[str, str, str]:
        normalised = self._normalise(text, system) or OTHER
        key = hashlib.sha256(normalised.encode()).hexdigest()[:16]
        found = key, normalised, self._repeat(text, "")
        if len(text) <= _CACHED_LENGTH:
            if len(self._cache) >= _CACHED_TEXTS:
                self._cache.clear()
            self._cache[text, system] = found
        return found

    def _repeat(self, text: str, parameters: str) -> str:
        """Equal for executions that asked the same; `""` where that cannot be known.

        Instrumentations send a statement with its literals or with placeholders. Two texts with the same literals
        asked the same; two with placeholders may differ in parameters that were not sent.
        """
        if not parameters and _PLACEHOLDER.search(text):
            return ""
        return hashlib.blake2b(f"{text}\0{parameters}".encode(), key=self._salt, digest_size=8).hexdigest()
