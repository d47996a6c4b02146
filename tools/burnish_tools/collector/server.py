"""`burnish collect` as a whole: lock, store, writer, socket, uvicorn, and the order in which they begin and end."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from burnish.errors import ConfigError, Unavailable
from burnish_tools.collector.app import CollectorApp
from burnish_tools.collector.depot import Later
from burnish_tools.collector.health import Health
from burnish_tools.collector.ports import MakeReceiver
from burnish_tools.collector.protocol import timed
from burnish_tools.collector.refused import Refused
from burnish_tools.collector.settings import MB, CollectorSettings
from burnish_tools.collector.writer import Writer
from burnish_tools.runtime.store import Store

_DRAIN_SECONDS = 10
"""How long requests that came before SIGTERM may take to end."""
_SPARE_FILES = 64
"""File descriptors beside those of connections."""


class Collector:
    """One collector. `database` names the dataset, so that two do not write the same one."""

    def __init__(
        self,
        settings: CollectorSettings,
        database: Path,
        directory: Path,
        open_store: Callable[[], Store],
        *,
        token: str = "",
        receiver: MakeReceiver | None = None,
    ) -> None:
        """Touches nothing yet."""
        self._settings, self._database, self._directory = settings, database, directory
        self._open_store, self._token, self._receiver = open_store, token, receiver
        self.health = Health()

    def run(self, listens: Callable[[str], None]) -> None:
        """Serves until SIGTERM or SIGINT; then takes nothing more, writes what it took and returns.

        `listens` is told the URL. Raises ConfigError, DataError; Unavailable where another collector is at work on the
        dataset or the port, or the dataset cannot be written.
        """
        with self._alone(), self._socket() as listener, self._signals() as stopped:
            store = self._open_store()
            try:
                writer = self._writer(store)
                writer.start()
                try:
                    self._serve(self._app(writer, store), listener, stopped, listens)
                finally:
                    writer.close()
            finally:
                store.close()

    def _serve(
        self, app: CollectorApp, listener: socket.socket, stopped: list[int], listens: Callable[[str], None]
    ) -> None:
        settings = self._settings
        most = min(settings.max_connections, _descriptors() - _SPARE_FILES)
        config = uvicorn.Config(
            app,
            http=timed(settings.header_seconds, most),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        if stopped:
            return
        listens(_url(listener))
        uvicorn.Server(config).run(sockets=[listener])

    def _app(self, writer: Writer, store: Store) -> CollectorApp:
        def services() -> list[dict[str, Any]]:
            return [{"service": seen.service, "environment": seen.environment} for seen in store.services()]

        otlp = self._receiver is not None
        return CollectorApp(writer.queue, self.health, self._settings, token=self._token, otlp=otlp, services=services)

    def _writer(self, store: Store) -> Writer:
        settings = self._settings
        refused = Refused(self._directory / "refused", int(settings.refused_mb * MB))
        try:
            return Writer(store, refused, settings, self.health, receiver=self._receiver)
        except Later as later:
            raise Unavailable(str(later)) from later

    def _socket(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise ConfigError(f"collector.host {host!r}: {error.strerror or error}") from error
        if not self._token and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
            raise ConfigError(
                f"collector.host {host!r} is reachable from other machines and there is no token: set the environment "
                f"variable {self._settings.token_variable} here and for the senders, or listen on 127.0.0.1"
            )
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
        except OSError as error:
            listener.close()
            text = f"{host}:{port}: {error.strerror}; stop what listens there, or choose another with --port"
            raise Unavailable(text) from error
        return listener

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds a lock beside the dataset; the system lets go of it when the process ends, in whatever way."""
        path = self._database.with_name(self._database.name + ".collector")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; choose another place for the runtime data") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                text = (
                    f"{self._database}: another collector (process {file.read(20) or '?'}) writes to it; stop that one"
                )
                raise Unavailable(text) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @contextmanager
    def _signals(self) -> Iterator[list[int]]:
        """uvicorn stops at SIGTERM and SIGINT and raises them again after it; here that is to end with exit code 0."""
        got: list[int] = []
        before = {
            number: signal.signal(number, lambda number, _frame: got.append(number))
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield got
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _descriptors() -> int:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft > 2 * _SPARE_FILES else 2 * _SPARE_FILES
