"""Bounds how many names a service may bring in (`limits.NEW_NAMES`), so that one that makes them up does no harm."""

from __future__ import annotations

from collections import Counter

from burnish_tools.runtime.clickhouse.tables import DAY_NS
from burnish_tools.runtime.limits import NEW_NAMES, OTHER


class Names:
    """The names of one day by service, as far as this process has seen them; what comes beyond is `<other>`.

    Some 60 bytes a name are held until its service sends a window of another day. Each process counts for itself, so
    that several let as many times more pass.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], set[int]] = {}
        self._days: dict[str, int] = {}
        self._service = ""
        self.dropped = Counter[str]()
        """Names of the window that became `<other>`, by kind."""

    def begin(self, service: str, start_unix_ns: int) -> None:
        """What comes now is of a window of this service."""
        self._service, self.dropped = service, Counter()
        day = start_unix_ns // DAY_NS
        if self._days.get(service) != day:
            self._days[service] = day
            for kind in NEW_NAMES:
                self._seen[service, kind] = set()

    def allows(self, kind: str, *name: object) -> bool:
        """Whether the name may stay; one that may not is counted."""
        seen, mark = self._seen[self._service, kind], hash(name)
        if mark in seen:
            return True
        if len(seen) >= NEW_NAMES[kind]:
            self.dropped[kind] += 1
            return False
        seen.add(mark)
        return True

    def name(self, kind: str, name: str) -> str:
        """The name, or `<other>`."""
        return name if self.allows(kind, name) else OTHER
