"""Starts the service that the job names: which host speaks to it, and which database is behind it."""

from __future__ import annotations

import importlib.util
from typing import Any

from . import application
from .database import Database
from .host import Host
from .host_asgi import AsgiHost
from .host_wsgi import WsgiHost


class Booted:
    """A started service."""

    def __init__(self, host: Host, database: Database) -> None:
        self.host, self.database = host, database
        self.rolled_back = database.rolled_back


def start(told: dict[str, Any]) -> Booted:
    """`told`: {"framework": "django" | "asgi" | "wsgi" | "app" | "none", "settings": MODULE, "app": NAME}.

    "app" is an application of which only the name is known: whether it is ASGI or WSGI is seen when it is there. The
    hooks on the database come before the service's own modules, which may connect when they are imported.
    """
    framework = told["framework"]
    if framework == "django":
        from .db_django import DjangoDatabase
        from .host_django import DjangoHost

        return Booted(DjangoHost(told["settings"]), DjangoDatabase())
    database = _database()
    database.install()
    host = Host() if framework == "none" else _serving(framework, told["app"])
    database.use(host.run)
    return Booted(host, database)


def _database() -> Database:
    if importlib.util.find_spec("sqlalchemy") is None:
        return Database()
    from .db_sqlalchemy import SqlAlchemyDatabase

    return SqlAlchemyDatabase()


def _serving(framework: str, name: str) -> Host:
    if framework == "wsgi":
        return WsgiHost(application.load(name))
    asgi = AsgiHost()
    app = application.load(name)
    if framework == "app" and not application.is_asgi(app):
        return WsgiHost(app)
    asgi.serve(app)
    return asgi
