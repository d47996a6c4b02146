"""A connection to ClickHouse: a server, or the engine in this process; and its errors as ours.

`clickhouse-connect` speaks to both with the same calls, so that the statements, the parameters and the types of what is
tested on the engine (`chdb`) are those that a server gets.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from burnish.errors import ConfigError, DataError, Unavailable

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PORTS = {"clickhouse": 8123, "clickhouses": 8443, "chdb": 0}
"""A server over HTTP, over HTTPS; the engine in this process, in a directory (for tests)."""
CONNECT_SECONDS, ANSWER_SECONDS = 10, 300
_MISSING = "install the extra for it: pip install 'burnish[clickhouse]'"
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PASSING = {159, 164, 202, 203, 209, 210, 225, 241, 242, 243, 252, 319, 999}
"""Error codes of what passes or what an administrator mends: timeouts, memory, disk, too many parts or queries,
read-only (src/Common/ErrorCodes.cpp of ClickHouse)."""
_REFUSED = {192, 193, 194, 497, 516}
"""Unknown user, wrong password, access denied."""


class Connection(Protocol):
    """What the store needs of ClickHouse. Methods raise Unavailable and DataError, which name the `url`."""

    url: str
    """Without a password."""

    def run(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Runs a statement that returns nothing."""

    def read(self, query: str, values: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows of a query; `values` are those of its `{name:Type}` marks."""

    def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], token: str = "") -> None:
        """Writes rows (columns with their types). With a token, of which a table knows the newest, it does so once."""

    def close(self) -> None:
        """Lets go of it."""


class Clickhouse:
    """A connection through `clickhouse-connect`. Several threads may share it."""

    def __init__(self, client: Client, url: str) -> None:
        self.url, self._client, self._lock = url, client, threading.RLock()

    def run(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Runs a statement that returns nothing."""
        with self._lock, reported(self.url):
            self._client.command(statement, parameters=dict(values or {}))

    def read(self, query: str, values: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows of a query."""
        with self._lock, reported(self.url):
            return [tuple(row) for row in self._client.query(query, parameters=dict(values or {})).result_rows]

    def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], token: str = "") -> None:
        """Writes rows."""
        if not rows:
            return
        settings = dict(_INSERT, insert_deduplication_token=token) if token else dict(_INSERT)
        with self._lock, reported(self.url):
            self._client.insert(
                table,
                rows,
                column_names=list(columns),
                column_type_names=list(columns.values()),
                settings=settings,
            )

    def close(self) -> None:
        """Closes it."""
        with self._lock:
            self._client.close()


_INSERT = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "async_insert": 0,  # what is answered has been written
    "max_partitions_per_insert_block": 0,  # a spool that waited for months comes at once
}


def connect(url: str, password: str = "") -> Clickhouse:
    """Connects, and makes the database where it is not there.

    `url` is `clickhouse://user@host:port/database`, the same with `clickhouses` for TLS, or `chdb:///directory/database`.
    Raises ConfigError where that is wrong or the package is not there, Unavailable where the server is away.
    """
    try:
        import clickhouse_connect
    except ImportError as error:
        raise ConfigError(f"{without_password(url)}: clickhouse-connect is not installed; {_MISSING}") from error
    parts, shown = urlsplit(url), without_password(url)
    path, _, database = parts.path.rpartition("/")
    if parts.password is not None:
        raise ConfigError(f"{shown}: takes no password in the URL; see runtime.password_variable")
    if parts.scheme not in PORTS or not _DATABASE.fullmatch(database):
        raise ConfigError(f"{shown}: is not of the form clickhouse://user@host:port/database")
    with reported(shown):
        options = {"interface": "chdb", "path": path} if parts.scheme == "chdb" else _server(parts, password, shown)
        client = clickhouse_connect.get_client(**options, database="default")
        client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        client.close()
        return Clickhouse(clickhouse_connect.get_client(**options, database=database), shown)


def _server(parts: SplitResult, password: str, shown: str) -> dict[str, Any]:
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise ConfigError(f"{shown}: {error}") from error
    return {
        "interface": "https" if parts.scheme == "clickhouses" else "http",
        "host": parts.hostname or "localhost",
        "port": port,
        "username": parts.username or "default",
        "password": password,
        "connect_timeout": CONNECT_SECONDS,
        "send_receive_timeout": ANSWER_SECONDS,
        "autogenerate_session_id": False,
        "form_encode_query_params": True,  # many names do not fit into a URL
    }


def without_password(url: str) -> str:
    """The URL as it may be printed."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl()


@contextmanager
def reported(url: str) -> Iterator[None]:
    """Turns the errors of `clickhouse-connect` into ours."""
    from clickhouse_connect.driver import exceptions

    try:
        yield
    except exceptions.Error as error:
        text = " ".join(str(error).split())[:500]
        found = re.search(r"[Cc]ode: (\d+)", text)
        code = int(found.group(1)) if found else 0
        if code in _REFUSED:
            raise DataError(
                f"{url}: {text}; check the user, its rights, and the password in the variable that "
                "runtime.password_variable names"
            ) from error
        if code in _PASSING or (not code and isinstance(error, exceptions.OperationalError)):
            raise Unavailable(f"{url}: {text}; see that the server runs and has room, and try again") from error
        raise DataError(f"{url}: {text}") from error
