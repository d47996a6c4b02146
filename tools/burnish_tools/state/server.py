"""The server that holds the state: its URL as it may be printed, and its errors as Burnish names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg

from burnish.errors import DataError, Unavailable

SECONDS = 10
"""How long a connection may take."""


class Server:
    """A PostgreSQL database, by URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.shown = f"{parts.scheme}://{parts.hostname}:{parts.port or 5432}{parts.path}"
        """The URL without its password."""

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection for one piece of work, so that a server may restart in between."""
        with self.errors(), psycopg.connect(self.url, autocommit=True, connect_timeout=SECONDS) as db:
            yield db

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Names what goes wrong inside: Unavailable can be tried again, DataError wants a person."""
        try:
            yield
        except psycopg.OperationalError as error:
            raise Unavailable(f"{self.shown}: {_line(error)}; see that the server runs and try again") from error
        except psycopg.Error as error:
            raise DataError(f"{self.shown}: {_line(error)}; check `state_database` in the config") from error


def _line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())[:300]
