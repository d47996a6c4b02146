"""Where GitHub's answers become Burnish's errors, and what is tried again before they do."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import github
import requests
from github.GithubRetry import GithubRetry

from burnish.errors import BurnishError, ConfigError, RepositoryError, Unavailable
from burnish_tools.forges import ForgeSettings

_REPEATABLE = {"GET", "HEAD", "PUT", "DELETE"}


class Edge:
    """A `with` block around PyGithub: what it and requests raise comes out as an error that says who must act."""

    def __init__(self, settings: ForgeSettings) -> None:
        self.url = f"{settings.base_url.rstrip('/')}/repos/{settings.repository}"
        self._variable = settings.token_variable

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Raises ConfigError, RepositoryError or Unavailable."""
        if isinstance(error, github.GithubException):
            raise self._answered(error) from error
        if isinstance(error, requests.RequestException):
            raise Unavailable(f"{self.url} could not be reached, the next cycle tries again ({error})") from error
        if isinstance(error, AssertionError):
            raise ConfigError(
                f"{self.url} names another address ({error}) in its answers; set forge.base_url to that one"
            ) from error

    def _answered(self, error: github.GithubException) -> BurnishError:
        limited = error.status == 429 or isinstance(error, github.RateLimitExceededException)
        if limited or error.status >= 500:
            return Unavailable(f"{self.url} answered {error.status}, the next cycle tries again ({said(error)})")
        if error.status == 401:
            return ConfigError(
                f"{self.url} does not accept the token in {self._variable} ({said(error)}); export a new one"
            )
        if error.status == 403:
            return ConfigError(
                f"{self.url}: the token in {self._variable} may not do this ({said(error)}); "
                "it has to read and write contents and pull requests"
            )
        if error.status == 404:
            return ConfigError(
                f"{self.url} is not there, or the token in {self._variable} cannot see it; check forge.repository"
            )
        return RepositoryError(f"{self.url} refused ({error.status}): {said(error)}")


class Retry(GithubRetry):
    """Repeats reads after 5xx, and anything that a rate limit turned away before it was done; never another write."""

    def __init__(self, **options: Any) -> None:
        """Options are urllib3's, and `max_rate_limit_wait` in seconds."""
        options.setdefault("backoff_factor", 0.5)
        options.setdefault("status_forcelist", [429, 500, 502, 503, 504])
        options["allowed_methods"] = None
        super().__init__(**options)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """False for a write that may have been done."""
        if status_code >= 500 and method.upper() not in _REPEATABLE:
            return False
        return super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        *rest: Any,
        **options: Any,
    ) -> Any:
        """Passes on a connection that was lost during a write, and a `Retry-After` that is longer than the limit."""
        if error is not None and str(method).upper() not in _REPEATABLE:
            raise error
        wait = self.get_retry_after(response) if response is not None else None
        if wait is not None and self.max_rate_limit_wait is not None and wait > self.max_rate_limit_wait:
            message = f"it asks to wait {wait:.0f} s, which is more than forge.longest_wait_seconds"
            raise github.RateLimitExceededException(response.status, {"message": message}, {})
        return super().increment(method, url, response, error, *rest, **options)


def said(error: Exception) -> str:
    """GitHub's own words."""
    data = error.data if isinstance(error, github.GithubException) else None
    if not isinstance(data, dict):
        return str(data or error)
    errors = [e if isinstance(e, dict) else {"message": e} for e in data.get("errors") or []]
    return "; ".join([str(data.get("message", "")), *(str(e.get("message") or e.get("code") or e) for e in errors)])
