"""The statements of a process: normalised (``normalise.py``), numbered by their hash, bounded in number."""

from __future__ import annotations

from typing import Any

OTHER_TEXT = "<other>"
_RAW_CACHE = 4_096
#: characters of statements as they came, and of normalised ones: each takes up to four bytes
_RAW_CHARACTERS = 1_000_000
_TEXT_CHARACTERS = 1_000_000


class Statements:
    """The statements of a process by id: 16 hex digits of SHA-256 of the normalised text. Bounded."""

    def __init__(self, capacity: int = 2_000) -> None:
        self.capacity = capacity
        self.dropped = 0
        #: ids by statement as it came, and system; what reads here looks for no more than it would in ``identify``
        self.by_raw: dict[tuple[str, str], str] = {}
        self._texts: dict[str, dict[str, Any]] = {}
        self._raw_characters = self._text_characters = 0

    def identify(self, sql: str, system: str) -> str:
        """The id of a raw statement. Beyond the capacity every new one is ``<other>``."""
        key = (sql, system)
        found = self.by_raw.get(key)
        return self._read(key) if found is None else found

    def _read(self, key: tuple[str, str]) -> str:
        from .normalise import LONGEST, normalise

        sql, system = key
        found = self._store(normalise(sql, system), system)
        if len(sql) > LONGEST:
            return found
        self._raw_characters += len(sql)
        if len(self.by_raw) >= _RAW_CACHE or self._raw_characters > _RAW_CHARACTERS:
            self.by_raw.clear()
            self._raw_characters = len(sql)
        self.by_raw[key] = found
        return found

    def _store(self, text: str, system: str) -> str:
        identity = statement_id(text)
        if identity not in self._texts:
            if len(self._texts) >= self.capacity or self._text_characters + len(text) > _TEXT_CHARACTERS:
                self.dropped += 1
                text, identity = OTHER_TEXT, statement_id(OTHER_TEXT)
            self._text_characters += len(text)
            self._texts[identity] = {"text": text, "system": system}
        return identity

    def __len__(self) -> int:
        return len(self._texts)

    def to_dict(self, identity: str) -> dict[str, Any]:
        """The shape of a value of ``statements`` in ``docs/format.md``."""
        return self._texts[identity]


def statement_id(text: str) -> str:
    """The id of a normalised text."""
    import hashlib  # it loads OpenSSL, which a process without statements may never need

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
