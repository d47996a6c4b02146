"""Anthropic's messages API on loopback, with scripted answers: real HTTP, no key, no money."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What one request is answered."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the answer, for time-outs."""


def message(text: str, stop_reason: str = "end_turn", input_tokens: int = 1000, output_tokens: int = 100) -> Reply:
    """A message with this text, whatever it is."""
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cache_read_input_tokens": 0}
    content = [{"type": "text", "text": text}] if text else []
    head = {"id": "msg_test", "type": "message", "role": "assistant", "model": "test-model"}
    return Reply({**head, "content": content, "stop_reason": stop_reason, "stop_sequence": None, "usage": usage})


def answer(value: Mapping[str, Any]) -> Reply:
    """A complete structured answer."""
    return message(json.dumps(value))


def refusal() -> Reply:
    """The model will not."""
    return message("", "refusal")


def truncated() -> Reply:
    """An answer that was cut off at the limit of tokens."""
    return message('{"decision": "edit", "reas', "max_tokens")


def error(status: int, kind: str, text: str) -> Reply:
    """A refusal by the API; one that may be repeated asks for no pause."""
    return Reply({"type": "error", "error": {"type": kind, "message": text}}, status, {"retry-after-ms": "1"})


def overloaded() -> Reply:
    """529."""
    return error(529, "overloaded_error", "Overloaded")


class AnthropicServer:
    """Answers `replies` in order and keeps `requests` (bodies) and `keys`; more requests than replies get 500."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""
        self.released = threading.Event()
        """Set when the server goes: nothing waits any longer."""


@contextmanager
def anthropic_server(*replies: Reply) -> Iterator[AnthropicServer]:
    """Serves on an ephemeral port of 127.0.0.1 until the block ends; `server.url` is the base URL."""
    state = AnthropicServer(*replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.requests.append(json.loads(raw))
            key = self.headers["x-api-key"] or self.headers["Authorization"] or ""
            state.keys.append(key.removeprefix("Bearer "))
            fallback = error(500, "api_error", "the script has no reply left")
            reply = state.replies.pop(0) if state.replies else fallback
            state.released.wait(reply.delay)
            is_text = isinstance(reply.body, str)
            data = (reply.body if is_text else json.dumps(reply.body)).encode()
            kind = "text/html" if is_text else "application/json"
            self.send_response(reply.status)
            for key, value in {"Content-Type": kind, "Content-Length": str(len(data)), **reply.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            state.released.set()
            http.shutdown()
            thread.join()
