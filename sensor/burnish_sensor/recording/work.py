"""What happens during one call of an entry, but for the calls of functions: those are the recorder's."""

from __future__ import annotations

from typing import Any


class Work:
    """One call of an entry, or what a thread does outside of entries; ``name`` may be known only when it ends.

    What most of them never change is an attribute of the class: one is made for each request.
    """

    start = 0
    wall = 0
    status: str | None = None
    #: whether all of the answer is there when the application returns it
    complete = False
    #: whether a framework inside may tell the route, instead of beginning an entry of its own
    generic = False
    #: the templates of the mounts that the request went through
    prefix = ""
    error: str | None = None

    def __init__(self, name: str = "", kind: str = "") -> None:
        self.name, self.kind = name, kind
        self.open, self.query_count = True, 0  # of the class they would hide those of the native recorder
        #: calls of other services as they happen; see queries/dependencies.py
        self.dependencies: list[Any] = []
        #: facts of the entry by key; see entries/notes.py
        self.notes: dict[str, Any] = {}

    def forget(self) -> None:
        """Drop what was recorded so far; the entry goes on."""
        self.dependencies.clear()
        self.query_count = 0
