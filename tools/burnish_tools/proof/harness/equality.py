"""Mode `equality`: everything that can be seen of each request and of each call of the judged function."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from . import boot, changed, determinism
from .canonical import canonical
from .statements import Statements
from .traces import Traces
from .wrap import Probe, wrap

HEADERS = ("Content-Type", "Location", "Vary", "Cache-Control", "ETag", "Last-Modified", "Content-Disposition", "Link")
CALLS_KEPT = 300
CHANGED_REQUESTS = 6
BODY_KEPT = 100000


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


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Replays all requests, then some of them once more on altered data."""
    statements = Statements()
    recorder = Recorder(statements)
    wrap(job["function"], recorder)
    replay = Replay(recorder, statements, job["headers"])
    requests = job["requests"]
    first = [replay.once(request) for request in requests]
    step = max(1, -(-len(requests) // CHANGED_REQUESTS))
    pairs = list(zip(requests, first))
    kinds = (changed.VALUES, changed.ROWS)
    again = [replay.once(request, seen["statements"], what) for request, seen in pairs[::step] for what in kinds]
    return {"requests": first, "changed": again, "clock": bool(job.get("clock"))}


class Replay:
    """Sends one request and writes down what could be seen."""

    def __init__(self, recorder: Recorder, statements: Statements, headers: dict[str, str]) -> None:
        self._recorder = recorder
        self._statements = statements
        self._send = boot.sender(headers)
        self._traces = Traces(recorder)

    def once(self, request: dict[str, str], altered: dict[str, int] | None = None, what: str = "") -> dict[str, Any]:
        """`altered`: the statements whose tables are changed beforehand; `what` of them."""
        recorder, statements = self._recorder, self._statements

        def prepare() -> None:
            if altered is not None:
                changed.alter(altered, what)
            determinism.restart()
            statements.clear()
            recorder.clear()
            self._traces.clear()

        with boot.rolled_back(prepare), statements.watching():
            response = self._send(request["target"])
            body = boot.body_of(response)
            queries = statements.total
            return {
                "entry": request["entry"],
                "status": response.status_code,
                "headers": {name: response.headers[name] for name in HEADERS if name in response.headers},
                "cookies": sorted(response.cookies),
                "body": _body(body, response.headers.get("Content-Type", "")),
                "calls": recorder.calls,
                "count": recorder.count,
                "queries": queries,
                "call_queries": recorder.queries,
                "statements": dict(statements.counts),
                "written": statements.digests(),
                **self._traces.form(),
            }


def _body(body: bytes, content_type: str) -> Any:
    """JSON as structure; anything else as text with a digest of the whole."""
    if "json" in content_type:
        try:
            return {"json": json.loads(body)}
        except ValueError:
            pass
    text = body[:BODY_KEPT].decode("utf-8", "replace")
    return {"text": text.splitlines(), "digest": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
