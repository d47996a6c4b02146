"""What happens during one call of an entry, but for the calls of functions: those are the recorder's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any


class Work:
    """One call of an entry, or what a thread does outside of entries; ``name`` may be known only when it ends.

    What most of them never change is an attribute of the class: one is made for each request.
    """

    start: int
    wall: int
    status: str | None = None
    #: whether all of the answer is there when the application returns it
    complete = False
    #: whether a framework inside may tell the route, instead of beginning an entry of its own
    generic = False
    #: the templates of the mounts that the request went through
    prefix = ""
    error: str | None = None

    #: calls of other services as they happen, and facts by key: few have any; see ``depended`` and ``noted``
    dependencies: Sequence[Any] = ()
    notes: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, name: str = "", kind: str = "") -> None:
        self.name, self.kind = name, kind
        self.open, self.query_count = True, 0  # as attributes of this class they would hide those of the extension's

    def depended(self, dependency: Any) -> None:
        """Keep a call of another service (queries/dependencies.py)."""
        self.__dict__.setdefault("dependencies", []).append(dependency)  # atomic: two threads may work for an entry

    def noted(self, key: str, note: Any) -> None:
        """Keep a fact (entries/notes.py), over what it was before."""
        self.__dict__.setdefault("notes", {})[key] = note

    def forget(self) -> None:
        """Drop what was recorded so far; the entry goes on."""
        self.__dict__.pop("dependencies", None)
        self.query_count = 0
