"""A Django project: management commands and the development server, with the launcher and with the application."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.support import windows, write
from tests.sensor.ways.serving import LAUNCHER, ask, free_port, served
from tests.sensor.ways.test_commands import python

pytest.importorskip("django")

MANAGE = """
    import os, sys
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
    if __name__ == "__main__":
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""
SETTINGS = """
    import os, pathlib
    BASE_DIR = pathlib.Path(__file__).parent
    SECRET_KEY, DEBUG, ALLOWED_HOSTS, ROOT_URLCONF, USE_TZ = "x", True, ["*"], "site_urls", True
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
    INSTALLED_APPS = [*os.environ.get("APPS", "").split(), "orders"]
"""
URLS = """
    from django.http import HttpResponse
    from django.urls import path
    from orders.models import total
    urlpatterns = [path("orders/<int:pk>/", lambda request, pk: HttpResponse(str(total(pk))))]
"""
COMMAND = """
    from django.core.management.base import BaseCommand
    from orders.models import total
    class Command(BaseCommand):
        def handle(self, *args, **options): self.stdout.write(str(total(2)))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    models = "def total(n): return n * 2\n"
    files = {
        "manage": MANAGE,
        "site_settings": SETTINGS,
        "site_urls": URLS,
        "orders/__init__": "",
        "orders/models": models,
    }
    commands = {"orders/management/commands/report": COMMAND}
    write(tmp_path, **files, **commands)
    return tmp_path


def rows(folder: Path) -> set[tuple[str, str]]:
    return {(row["function"], row["entry"]) for window in windows(folder) for row in window["calls"]}


@pytest.mark.parametrize("apps", ["", "burnish_sensor.contrib.django"])
def test_a_management_command(apps: str, project: Path) -> None:
    """By the launcher, by the application, and by both at once: once."""
    for launcher in ([*LAUNCHER], []):
        if not launcher and not apps:
            continue
        done = python([*launcher, "manage.py", "report"], project, APPS=apps)
        assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")
    assert ("orders.models:total", "command:report") in rows(project)
    calls = [row for window in windows(project) for row in window["calls"] if row["function"] == "orders.models:total"]
    assert sum(row["calls"] for row in calls) == (2 if apps else 1)


def test_the_application_takes_its_root_from_the_settings(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("cwd")
    done = python([str(project / "manage.py"), "report"], elsewhere, APPS="burnish_sensor.contrib.django")
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr
    assert ("orders.models:total", "command:report") in rows(project)


def test_the_application_switched_off(project: Path) -> None:
    apps = {"APPS": "burnish_sensor.contrib.django", "BURNISH_SENSOR": "off"}
    done = python(["manage.py", "report"], project, **apps)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")
    assert not (project / ".burnish").exists()


@pytest.mark.slow
@pytest.mark.parametrize("reload", [["--noreload"], []], ids=["noreload", "reload"])
def test_the_development_server(reload: list[str], project: Path) -> None:
    """With its autoreloader the server is a child of the process that is told to end."""
    port = free_port()
    command = [*LAUNCHER, "manage.py", "runserver", *reload, f"127.0.0.1:{port}"]
    with served(command, project, port, BURNISH_WINDOW_SECONDS="1"):
        assert ask(port, "/orders/21/") == (200, "42")
        assert ask(port, "/orders/4/") == (200, "8")
        _await_window(project)
    assert ("orders.models:total", "GET orders/<int:pk>/") in rows(project)


def _await_window(folder: Path) -> None:
    import time

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not rows(folder):
        time.sleep(0.1)
