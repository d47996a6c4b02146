"""Where pull requests live: `local` (a bare repository and a small database) or `github`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from burnish.settings import Section


class ForgeSettings(Section):
    """The forge on which pull requests are opened."""

    kind: Literal["local", "github"] = "local"
    """`local` keeps pull requests beside Burnish's state and merges into a bare repository; `github` uses its API."""
    repository: str = Field("", pattern=r"^([\w.-]+/[\w.-]+)?$")
    """`owner/name` on GitHub."""
    base_url: str = "https://api.github.com"
    """Address of the API; for GitHub Enterprise Server `https://HOST/api/v3`."""
    token_variable: str = "GITHUB_TOKEN"
    """Environment variable that holds the token; it needs to read and write contents and pull requests."""
    labels: tuple[str, ...] = ("performance",)
    """Labels that a new pull request gets."""
    draft: bool = False
    """Opens pull requests as drafts, where the repository has drafts."""
    seconds_between_requests: float = Field(0.25, ge=0)
    """Least time between two requests to the API."""
    seconds_between_writes: float = Field(1.0, ge=0)
    """Least time between two writes; GitHub asks for at least one second."""
    timeout_seconds: int = Field(15, gt=0)
    """How long to wait for a single answer."""
    retries: int = Field(3, ge=0)
    """How often a request that can safely be repeated is tried again."""
    longest_wait_seconds: float = Field(60.0, ge=0)
    """How long to sit out a rate limit; what takes longer is left to the next cycle."""
