"""What the sensor is told, through environment variables only: it must be possible to set it from a Procfile."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from .notice import say
from .output.address import parse_address
from .release import find_environment, find_release, find_service

OFF = ("off", "0", "false", "no")

KNOWN = frozenset(
    {
        "BURNISH_BUDGET",
        "BURNISH_ENVIRONMENT",
        "BURNISH_EXEMPLARS",
        "BURNISH_INCLUDE",
        "BURNISH_MEMORY_MB",
        "BURNISH_NATIVE",
        "BURNISH_OUTPUT",
        "BURNISH_RELEASE",
        "BURNISH_ROOT",
        "BURNISH_SENSOR",
        "BURNISH_SERVICE",
        "BURNISH_SPOOL",
        "BURNISH_SPOOL_MB",
        "BURNISH_TOKEN",
        "BURNISH_WINDOW_SECONDS",
    }
)
#: not for us: what the project's scripts read, and the agent's own (BURNISH__SECTION__KEY)
_OF_OTHERS = re.compile(r"BURNISH_PYTHON\Z|BURNISH__")
_PACKAGE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z")
_TOKEN = re.compile(r"[!-~]+\Z")


class Settings(NamedTuple):
    """Settings of one process. ``window_seconds`` is the length of a window; paths are absolute.

    ``output`` is a directory, a file ending in ``.jsonl``, ``unix:/path``, or a URL. ``budget`` is the share of the
    process's CPU time that observing calls may take, from 0.0001 to 1. ``include`` names packages outside of the root
    that are observed too. ``memory_mb`` bounds what the sensor may hold in memory, ``spool_mb`` what waits on the disk
    in ``spool`` for somebody to take it (both in units of 1,000,000 bytes). ``native`` is whether the compiled core may
    be used where it is there. ``exemplars`` is how many calls may be looked at for conditions in a second, 0 to 1000.
    """

    root: str
    output: str
    service: str
    environment: str
    release: str
    window_seconds: float
    enabled: bool
    budget: float = 0.01
    exemplars: float = 20.0
    functions: int = 50_000
    statements: int = 2_000
    entries: int = 500
    include: tuple[str, ...] = ()
    memory_mb: float = 32.0
    native: bool = True
    spool: str = ""
    spool_mb: float = 64.0
    token: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in self._asdict().items() if k != 'token')})"


def read_settings(environ: Mapping[str, str], cwd: str) -> Settings:
    """Read ``BURNISH_*``. A value that cannot be used is named on stderr and replaced by its default."""
    settings, complaints = read(environ, cwd)
    if settings.enabled:
        for complaint in complaints:
            say(complaint)
    return settings


def read(environ: Mapping[str, str], cwd: str) -> tuple[Settings, list[str]]:
    """The settings, and what is wrong with those that were given."""
    root = os.path.realpath(environ.get("BURNISH_ROOT") or cwd)
    reader = _Reader(environ)
    settings = Settings(
        root=root,
        output=reader.output(root),
        service=find_service(environ, root),
        environment=find_environment(environ),
        release=find_release(environ, root),
        window_seconds=reader.number("BURNISH_WINDOW_SECONDS", 10.0, 0.1, 3600),
        enabled=not reader.off("BURNISH_SENSOR"),
        budget=reader.number("BURNISH_BUDGET", 0.01, 0.0001, 1),
        include=reader.packages("BURNISH_INCLUDE"),
        memory_mb=reader.number("BURNISH_MEMORY_MB", 32.0, 4, 4096),
        native=not reader.off("BURNISH_NATIVE"),
        spool=os.path.abspath(os.path.join(root, environ.get("BURNISH_SPOOL") or os.path.join(".burnish", "spool"))),
        spool_mb=reader.number("BURNISH_SPOOL_MB", 64.0, 1, 100_000),
        token=reader.token(),
        exemplars=reader.exemplars(),
    )
    reader.unknown()
    return settings, reader.complaints


class _Reader:
    """Reads variables and remembers what could not be used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def _text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def off(self, name: str) -> bool:
        return self._text(name).lower() in OFF

    def number(self, name: str, default: float, low: float, high: float) -> float:
        text = self._text(name)
        try:
            number = float(text or default)
        except ValueError:
            number = float("nan")
        if low <= number <= high:
            return number
        self.complaints.append(
            f"{name}={text[:40]!r} is not a number from {low:g} to {high:g}; it is taken as {default:g}"
        )
        return default

    def output(self, root: str) -> str:
        default = os.path.join(root, ".burnish", "windows")
        text = self._text("BURNISH_OUTPUT")
        try:
            return str(parse_address(text or default, root))
        except ValueError as error:
            shown = "" if "@" in text else f"={text[:200]!r}"  # never a password
            self.complaints.append(f"BURNISH_OUTPUT{shown} cannot be used: {error}; windows go to {default}")
            return default

    def packages(self, name: str) -> tuple[str, ...]:
        found = [part.strip() for part in self._text(name).split(",") if part.strip()]
        for part in found:
            if not _PACKAGE.match(part):
                self.complaints.append(f"{name}: {part[:40]!r} is not the name of a package; it is left out")
        return tuple(dict.fromkeys(part for part in found if _PACKAGE.match(part)))

    def exemplars(self) -> float:
        return 0.0 if self.off("BURNISH_EXEMPLARS") else self.number("BURNISH_EXEMPLARS", 20.0, 0, 1000)

    def token(self) -> str:
        token = self._text("BURNISH_TOKEN")
        if token and not _TOKEN.match(token):
            self.complaints.append(
                "BURNISH_TOKEN holds a space or a character that no HTTP header may hold; none is sent"
            )
            return ""
        return token

    def unknown(self) -> None:
        """Complain of names that nobody reads: a setting that is misspelt does nothing, silently."""
        for name in sorted(self._environ):
            if name.startswith("BURNISH_") and name not in KNOWN and not _OF_OTHERS.match(name):
                self.complaints.append(f"{name} is no setting of the sensor{_meant(name)}; it is not used")


def _meant(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(KNOWN), 1, 0.75)
    return f" (did you mean {close[0]}?)" if close else ""
