"""Facts that the application or a hook knows: ``note("plan", "enterprise")`` says something of the running entry.

A note is a class, not a value: few keys, few values for each, and no text that could be anybody's data.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Union

from ..exemplars.facts import power_class
from ..recording.work import Work

Note = Union[str, int, bool]
OTHER = "<other>"
MIXED = "mixed"
_KEY = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_VALUE = re.compile(r"[A-Za-z0-9_.:<>=+/ -]{1,40}")
_KEYS_PER_ENTRY = 16
_KEYS = 200
_VALUES_PER_KEY = 50


class Notes:
    """Takes notes down. Nothing raises; what cannot be taken is said once on stderr."""

    def __init__(self) -> None:
        self._values: dict[str, set[Note]] = {}
        self._refused = False

    def take(self, work: Work | None, key: Any, value: Any) -> None:
        """Note ``value`` under ``key``, over what was noted there before. Outside of an entry nothing happens."""
        if work is None or not work.open:
            return
        note = self._accepted(key, value)
        if note is None or (key not in work.notes and len(work.notes) >= _KEYS_PER_ENTRY):
            self._refuse()
        else:
            work.noted(key, note)

    def blend(self, work: Work | None, key: str, value: Note) -> None:
        """The same for what happens several times in an entry: ``mixed`` where it was not always the same."""
        known = work.notes.get(key, value) if work is not None else value
        self.take(work, key, value if known == value else MIXED)

    def _accepted(self, key: Any, value: Any) -> Note | None:
        if type(key) is not str or not _KEY.fullmatch(key):
            return None
        note = _class_of(value)
        values = self._values.get(key)
        if values is None:
            if len(self._values) >= _KEYS:
                return None
            values = self._values.setdefault(key, set())
        if note is None or note in values:
            return note
        if len(values) >= _VALUES_PER_KEY:
            return OTHER
        values.add(note)
        return note

    def _refuse(self) -> None:
        if self._refused:
            return
        self._refused = True
        print(
            "burnish_sensor: a note was refused: a key is [a-z][a-z0-9_.]* of at most 40 characters, at most 16 in an "
            "entry; a value is a name of at most 40 letters, digits, blanks and _.:<>=+/-, a whole number or a truth "
            "value; this is not said again",
            file=sys.stderr,
        )


def _class_of(value: Any) -> Note | None:
    """A name as it is, of a whole number the power of two below it; None for anything else."""
    if type(value) is bool:
        return value
    if type(value) is int:
        return power_class(value) if value >= 0 else -power_class(-value)
    return value if type(value) is str and _VALUE.fullmatch(value) else None
