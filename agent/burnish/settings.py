"""What a team may set. Every section is a small frozen model beside its component; this file holds what many share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration: frozen, unknown keys are errors, the sentence under a field describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ServiceSettings(Section):
    """The service that is watched and improved."""

    name: str
    """Its name in the runtime data (BURNISH_SERVICE)."""
    repository: str
    """Path or URL of its git repository; pull requests are made against it."""
    environment: str = "production"
    """Which environment's data count."""
    branch: str = "main"
    """The branch that is deployed."""
    root: str = "."
    """The application root inside the repository: what functions' files are relative to."""
    framework: Literal["django"] = "django"
    """How the service is started for a replay."""
    settings_module: str = ""
    """DJANGO_SETTINGS_MODULE; default: what manage.py says."""
    python: str = ""
    """Interpreter that has the service's dependencies; default: the one that runs Burnish."""
    database: str = ""
    """URL of its database (sqlite:///… or postgres://…), for reading plans; a read-only user is enough."""
    database_variable: str = "DATABASE_URL"
    """Environment variable through which the service is told its database."""
    access_log: str = ""
    """Access log in the common format; its GET requests are replayed, old against new."""
