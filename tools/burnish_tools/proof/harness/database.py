"""What the harness does with a service's database; this one is for a service that has none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .statements import Statements


class Database:
    """Nothing is counted, held or altered."""

    def install(self) -> None:
        """Called before the service is imported."""

    def use(self, run: Callable[[Callable[[], Any]], Any]) -> None:
        """How to call what asks the database, from now on."""

    @contextlib.contextmanager
    def rolled_back(self, before: Callable[[], object] | None = None) -> Iterator[None]:
        """What is written inside is gone afterwards. `before` runs inside, ahead of the body."""
        if before is not None:
            before()
        yield

    @contextlib.contextmanager
    def watching(self, statements: Statements) -> Iterator[None]:
        """Tells `statements` what runs on any connection inside."""
        yield

    def digests(self, tables: Iterable[str]) -> dict[str, str]:
        """Of each table all rows, as one digest that does not depend on their order."""
        return {}

    def alter(self, statements: Iterable[str], *, texts: bool = True) -> list[str]:
        """Alters numbers, and `texts`, that are no keys, in the tables that occur in `statements`; returns their names.

        A result that is kept across calls (a dictionary in a module, a cache without invalidation) is right as long as
        nothing changes. So some requests are sent again on altered data, in the same process and inside the transaction
        that is rolled back: an answer has to follow the data and not a memory of it.
        """
        return []

    def rotate(self, statements: Iterable[str]) -> list[str]:
        """Gives each row of these tables the content of the next one; see `rotated`. Apart from `alter`: a status that
        is no status any more would empty every answer, and hide a memory of which rows belong to it."""
        return []
