"""Where the service's repository is, how git is let in, and what its refusals mean."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from burnish.errors import BurnishError, ConfigError, RepositoryError, Unavailable

PROTOCOLS = ("https", "ssh", "file")
_OFF = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "gc.auto": "0",
    "submodule.recurse": "false",
    "protocol.allow": "never",
}
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:(?!-)[\w./~-]+")
_NOT_LET_IN = re.compile(
    r"Authentication failed|could not read (Username|Password)|Permission denied|returned error: 40[13]"
)
_NOT_THERE = re.compile(r"does not appear to be a git repository|[Rr]epository .*not (found|exist)|returned error: 404")


@dataclass(frozen=True)
class Remote:
    """A git repository by path or URL. The token is used for HTTPS and is in no message and no `repr`."""

    url: str
    path: Path | None = None
    """Where it is a directory on this machine."""
    token: str = field(default="", repr=False)

    @classmethod
    def at(cls, repository: str, token: str = "") -> Remote:
        """From `service.repository`. Raises ConfigError, RepositoryError."""
        if _SCP_LIKE.fullmatch(repository):
            return cls(repository)
        if "://" in repository:
            return cls(_checked_url(repository), None, token)
        path = Path(repository).expanduser().resolve()
        if not path.is_dir():
            raise RepositoryError(f"there is no repository at {path}; set service.repository to its path or URL")
        return cls(str(path), path)

    @property
    def checkout(self) -> Path | None:
        """The directory, where it has a work tree."""
        return self.path if self.path and (self.path / ".git").exists() else None

    def config(self) -> Mapping[str, str]:
        """Configuration for the one git process that talks to the remote; it is passed in its environment."""
        if not (self.token and self.url.startswith("https://")):
            return {}
        parts = urlsplit(self.url)
        credentials = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        return {f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {credentials}"}

    def error(self, stderr: str) -> BurnishError:
        """What to raise for git's refusal."""
        said = " ".join(line.strip() for line in stderr.strip().splitlines()) or "no message"
        if "dubious ownership" in stderr:
            return RepositoryError(f"{self.url} belongs to another user; run Burnish as its owner. git: {said}")
        if self.path is not None:
            return RepositoryError(f"git could not use {self.url}: {said}")
        if _NOT_LET_IN.search(stderr):
            return ConfigError(
                f"{self.url} does not let Burnish in: check the token's variable or the SSH key. git: {said}"
            )
        if _NOT_THERE.search(stderr):
            return RepositoryError(f"there is no repository at {self.url}, or the token cannot see it. git: {said}")
        return Unavailable(f"{self.url} could not be reached, the next cycle tries again. git: {said}")


def environment(directory: Path, config: Mapping[str, str]) -> Mapping[str, str]:
    """Variables for a git process on one repository: nothing is asked of a person, nothing read from the machine's or
    the user's configuration, no hook or monitor is run, and only the listed protocols are spoken (`ext::` would run
    commands).
    """
    settings = {**_OFF, **{f"protocol.{name}.allow": "always" for name in PROTOCOLS}, **config}
    variables = {
        "GIT_DIR": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in PROTOCOLS:
        allowed = ", ".join(PROTOCOLS)
        raise ConfigError(f"service.repository: {parts.scheme}:// is not allowed; use a path or one of {allowed}")
    if parts.password or (parts.scheme == "https" and parts.username):
        raise ConfigError("service.repository has credentials in its URL; take them out and export the token instead")
    return url
