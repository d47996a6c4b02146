"""Django's databases: a transaction on each of them that is rolled back; statements by `execute_wrapper`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import changed_django
from .database import Database
from .statements import MAX_ROWS, Statements, digest


class DjangoDatabase(Database):
    """All that are in `DATABASES`."""

    @contextlib.contextmanager
    def rolled_back(self, before: Callable[[], object] | None = None) -> Iterator[None]:
        """A transaction on every database; nothing of it stays. `before` runs inside, ahead of the body."""
        from django.db import connections, transaction

        with contextlib.ExitStack() as stack:
            for alias in connections:
                atomic = transaction.atomic(using=alias)
                atomic._from_testcase = True  # lets the service's own durable blocks nest, as in django.test.TestCase
                stack.enter_context(atomic)
            try:
                if before is not None:
                    before()
                yield
            finally:
                for alias in connections:
                    transaction.set_rollback(True, using=alias)

    @contextlib.contextmanager
    def watching(self, statements: Statements) -> Iterator[None]:
        """Counts what runs on any connection inside."""
        from django.db import connections

        def execute(run: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
            statements.seen(str(sql))
            return run(sql, params, many, context)

        with contextlib.ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(execute))
            yield

    def digests(self, tables: Iterable[str]) -> dict[str, str]:
        """Of each table all rows, as one digest that does not depend on their order."""
        from django.db import connection

        found = {}
        with connection.cursor() as cursor:
            for table in sorted(tables):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = digest(cursor.fetchmany(MAX_ROWS))
        return found

    def alter(self, statements: Iterable[str], *, texts: bool = True) -> list[str]:
        """See `changed_django`."""
        return changed_django.alter(statements, texts=texts)

    def rotate(self, statements: Iterable[str]) -> list[str]:
        """See `rotated`."""
        return changed_django.rotate(statements)
