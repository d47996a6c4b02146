from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.settings import ServiceSettings
from burnish_tools.proof.hosts import Started, Unknown, started

INSTANCE = "from fastapi import FastAPI\napp = FastAPI(title='x')\n"
FACTORY = "from flask import Flask\n\n\ndef create_app(config=None):\n    it = Flask(__name__)\n    return it\n"
NEEDS_ARGUMENTS = FACTORY.replace("config=None", "config")


def found(folder: Path, files: dict[str, str], **settings: Any) -> Started:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return started(ServiceSettings(name="s", repository=".", **settings), folder)


@pytest.mark.parametrize(
    "files, settings, expected",
    [
        ({"manage.py": "set('DJANGO_SETTINGS_MODULE', 'a.settings')"}, {}, Started("django", settings="a.settings")),
        ({}, {"settings_module": "b.settings"}, Started("django", settings="b.settings")),
        ({"manage.py": ""}, {"app": "a:app"}, Started("app", app="a:app")),
        ({"manage.py": ""}, {"framework": "asgi", "app": "a:make()"}, Started("asgi", app="a:make()")),
        ({}, {"framework": "none"}, Started("none")),
        ({"main.py": INSTANCE}, {}, Started("asgi", app="main:app")),
        ({"ledger/main.py": INSTANCE.replace("app =", "api: FastAPI =")}, {}, Started("asgi", app="ledger.main:api")),
        ({"app.py": FACTORY}, {}, Started("wsgi", app="app:create_app()")),
        ({"app.py": FACTORY + "\n\nwsgi = create_app()\n"}, {}, Started("wsgi", app="app:wsgi")),
        ({"shop/__init__.py": FACTORY.replace("Flask(", "flask.Flask(")}, {}, Started("wsgi", app="shop:create_app()")),
        ({"main.py": INSTANCE, "tests/app.py": INSTANCE, "wsgi.py": "def"}, {}, Started("asgi", app="main:app")),
        ({"main.py": INSTANCE, "app.py": FACTORY}, {"framework": "wsgi"}, Started("wsgi", app="app:create_app()")),
    ],
)
def test_how_a_service_is_started(
    tmp_path: Path, files: dict[str, str], settings: dict[str, str], expected: Started
) -> None:
    assert found(tmp_path, files, **settings) == expected


@pytest.mark.parametrize(
    "files, settings, said",
    [
        ({}, {}, r"set \[service\] app or framework"),
        ({"main.py": INSTANCE, "app.py": FACTORY}, {}, r"several applications \(main:app, app:create_app\(\)\)"),
        ({"app.py": NEEDS_ARGUMENTS}, {}, "could not be told"),
        ({"manage.py": ""}, {}, "No DJANGO_SETTINGS_MODULE in manage.py"),
        ({}, {"app": "ledger/main.py"}, r"write module:attribute"),
    ],
)
def test_what_cannot_be_told_says_what_to_set(
    tmp_path: Path, files: dict[str, str], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(Unknown, match=said):
        found(tmp_path, files, **settings)
