"""What a host is: how the harness speaks to a service of one kind."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

TEST_HOST = "testserver"


@dataclass
class Answer:
    """A response, read to its end. The names of headers are in lower case; `cookies` are the names of those set."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""
    raised: str = ""
    """Kind and place of an error that came past the service's own handlers; never its message, which may hold data."""


Send = Callable[[str], Answer]


class Host:
    """A service that is sent no requests; one per process."""

    def entries(self, paths: Iterable[str]) -> dict[str, str]:
        """`GET route` for every path that the service knows; the names are those that the sensor gives."""
        return {}

    def sender(self, headers: dict[str, str]) -> Send:
        """A function that sends one GET request (path and query, percent-encoded), whatever happens in the service."""
        raise RuntimeError('[service] framework = "none" is sent no requests')

    def run(self, function: Callable[[], Any]) -> Any:
        """Calls a function where the service's database may be asked: here, unless that lives in an event loop."""
        return function()


def failed(error: BaseException) -> Answer:
    """What a server answers for an application that raised."""
    places = traceback.extract_tb(error.__traceback__)
    place = f" in {os.path.basename(places[-1].filename)}:{places[-1].lineno} ({places[-1].name})" if places else ""
    return Answer(500, raised=type(error).__name__ + place)


def answer_of(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """Of several headers with one name the last counts, as for most clients; cookies are kept apart."""
    kept, cookies = {}, []
    for name, value in headers:
        if name.lower() == "set-cookie":
            cookies.append(value.partition("=")[0].strip())
        else:
            kept[name.lower()] = value
    return Answer(status, kept, sorted(cookies), body)
