"""Mode `equality`: everything that can be seen of each request and of each call of the judged function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from . import determinism
from .boot import Booted
from .canonical import canonical
from .statements import Statements
from .traces import Traces
from .wrap import Probe, wrap

HEADERS = ("Content-Type", "Location", "Vary", "Cache-Control", "ETag", "Last-Modified", "Content-Disposition", "Link")
CALLS_KEPT = 300
CHANGED_REQUESTS = 6
BODY_KEPT = 100000
ERROR = 400


class Recorder(Probe):
    """Calls of the judged function in the current request; beyond the first ones they are only counted."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.clear()

    def clear(self) -> None:
        """Before a request."""
        self.calls: list[dict[str, Any]] = []
        self.count = 0
        self.queries = 0
        self.depth = 0

    def begin(self) -> dict[str, Any]:
        self.depth += 1
        self.count += 1
        return {"queries": 0, "since": self._statements.total}

    def pause(self, call: dict[str, Any]) -> None:
        self.depth -= 1
        call["queries"] += self._statements.total - call["since"]

    def resume(self, call: dict[str, Any]) -> None:
        self.depth += 1
        call["since"] = self._statements.total

    def end(self, call: dict[str, Any], args: Any, result: Any, error: BaseException | None) -> None:
        self.pause(call)
        self.queries += call["queries"]
        if self.count > CALLS_KEPT:
            return
        with self._statements.paused():
            outcome = {"returned": canonical(result)} if error is None else {"raised": canonical(error)}
            self.calls.append({"arguments": canonical(args), **outcome})


def run(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """Replays all requests, then some of them once more on altered data."""
    statements = Statements()
    recorder = Recorder(statements)
    wrap(job["function"], recorder)
    replay = Replay(recorder, statements, service, job["headers"])
    requests = job["requests"]
    first = [replay.once(request) for request in requests]
    step = max(1, -(-len(requests) // CHANGED_REQUESTS))
    pairs = list(zip(requests, first))
    again = [answer for request, seen in pairs[::step] for answer in replay.altered(request, seen)]
    return {"requests": first, "changed": again, "clock": bool(job.get("clock"))}


class Replay:
    """Sends one request and writes down what could be seen."""

    def __init__(self, recorder: Recorder, statements: Statements, service: Booted, headers: dict[str, str]) -> None:
        self._recorder = recorder
        self._statements = statements
        self._database = service.database
        self._send = service.host.sender(headers)
        self._traces = Traces(recorder)

    def altered(self, request: dict[str, str], seen: dict[str, Any]) -> list[dict[str, Any]]:
        """Twice more: on altered data, and on moved rows. Where the service cannot do with altered texts (a currency, a
        role), numbers alone are altered: an error tells nothing about what the answer follows."""
        statements = list(seen["statements"])
        found = self.once(request, lambda: self._database.alter(statements))
        if found["status"] >= ERROR > seen["status"]:
            found = self.once(request, lambda: self._database.alter(statements, texts=False))
        return [found, self.once(request, lambda: self._database.rotate(statements))]

    def once(self, request: dict[str, str], change: Callable[[], Any] | None = None) -> dict[str, Any]:
        """`change` is done to the data beforehand."""
        recorder, statements = self._recorder, self._statements

        def prepare() -> None:
            if change is not None:
                change()
            determinism.restart()
            statements.clear()
            recorder.clear()
            self._traces.clear()

        with self._database.rolled_back(prepare), self._database.watching(statements):
            answer = self._send(request["target"])
            seen = {name: answer.headers[name.lower()] for name in HEADERS if name.lower() in answer.headers}
            found = {
                "entry": request["entry"],
                "status": answer.status,
                "raised": answer.raised,
                "headers": seen,
                "cookies": answer.cookies,
                "body": _body(answer.body, seen.get("Content-Type", "")),
                "calls": recorder.calls,
                "count": recorder.count,
                "queries": statements.total,
                "call_queries": recorder.queries,
                "statements": dict(statements.counts),
                **self._traces.form(),
            }
            with statements.paused():
                return {**found, "written": self._database.digests(statements.written)}


def _body(body: bytes, content_type: str) -> Any:
    """JSON as structure; anything else as text with a digest of the whole."""
    if "json" in content_type:
        try:
            return {"json": json.loads(body)}
        except ValueError:
            pass
    text = body[:BODY_KEPT].decode("utf-8", "replace")
    return {"text": text.splitlines(), "digest": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
