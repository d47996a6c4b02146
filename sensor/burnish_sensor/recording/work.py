"""What happens during one call of an entry, but for the calls of functions: those are the recorder's."""

from __future__ import annotations

from typing import Any


class Work:
    """One call of an entry, or what a thread does outside of entries; ``name`` may be known only when it ends."""

    def __init__(self, name: str = "", kind: str = "") -> None:
        self.name, self.kind = name, kind
        self.open = True
        #: (statement, site, execution) as they happen; see queries/log.py
        self.executions: list[Any] = []
        #: calls of other services as they happen; see queries/dependencies.py
        self.dependencies: list[Any] = []
        #: (function, queries of one call) as calls end
        self.returned: list[tuple[int, Any]] = []
        self.query_count = 0
        self.start = 0
        self.wall = 0
        self.status: str | None = None
        #: whether all of the answer is there when the application returns it
        self.complete = False
        #: whether a framework inside may tell the route, instead of beginning an entry of its own
        self.generic = False
        #: the templates of the mounts that the request went through
        self.prefix = ""
        self.error: str | None = None
        #: facts of the entry by key; see entries/notes.py
        self.notes: dict[str, Any] = {}

    def forget(self) -> None:
        """Drop what was recorded so far; the entry goes on."""
        for recorded in (self.executions, self.dependencies, self.returned):
            recorded.clear()
        self.query_count = 0
