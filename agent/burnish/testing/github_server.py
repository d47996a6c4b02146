"""GitHub's pull request API on loopback: real HTTP, real rules, and failures on request.

What it does as GitHub does, because an adapter can get it wrong: a second open pull request for a head is refused, the
head follows the branch, a filter by head needs `owner:branch` and is ignored otherwise, lists come in pages, a list
item lacks `merged`, anyone may comment, a moved repository answers a POST with 307.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Reply = tuple[int, Any, dict[str, str]]
TOKEN, BOT = "test", "burnish-bot"


@dataclass
class Fault:
    """A failure of the next request that fits. `after` the write has been done, or instead of it."""

    method: str
    path: str
    """Regular expression, searched in the path."""
    status: int
    message: str = "fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


class GitHubServer:
    """One repository, `owner/name`. Tests set `branches`, act as people, queue `faults` and read `requests`."""

    def __init__(self, full_name: str = "team/shop") -> None:
        self.full_name = full_name
        self.moved_to = ""
        self.branches: dict[str, str] = {"main": "0" * 40}
        self.pulls: dict[int, Json] = {}
        self.comments: dict[int, list[Json]] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.drafts = True
        self.stale_lists = 0
        """How many of the next lists of pull requests are older than the last write, and empty."""
        self.ignores_head = False
        """Lists everything, whatever `head` asks for, as GitHub does with a filter that it does not understand."""
        self.url = ""
        self._lock = threading.Lock()
        self._ids = 0

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, number: int, commit: str) -> None:
        """A person merges it; the branch is deleted, as many repositories have it."""
        self._end(number, merged_at="2026-01-02T03:04:05Z", merge_commit_sha=commit)
        self.branches["main"] = commit

    def close(self, number: int, comment: str = "") -> None:
        """A person closes it unmerged, with a comment."""
        if comment:
            self.comment(number, comment)
        self._end(number)

    def comment(self, number: int, body: str, login: str = "ada", kind: str = "User") -> None:
        """Somebody comments."""
        self._add_comment(number, body, login, kind)

    def fork(self, branch: str) -> int:
        """A stranger opens a pull request from a branch of the same name in a fork."""
        number = self._new(branch, "Theirs", "", draft=False)["number"]
        self.pulls[number]["fork"] = "stranger/shop"
        return int(number)

    def _end(self, number: int, **fields: str) -> None:
        pull = self.pulls[number]
        pull.update(state="closed", sha=self.branches.pop(pull["ref"], pull["sha"]), **fields)

    # ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, method: str, target: str, body: Json, token: str) -> Reply:
        """One request, faults included."""
        parts = urlsplit(target)
        with self._lock:
            self.requests.append((method, parts.path))
            fault = next((f for f in self.faults if f.method == method and re.search(f.path, parts.path)), None)
            if fault is not None:
                self.faults.remove(fault)
                if fault.after:
                    self._route(method, parts.path, parse_qs(parts.query), body)
                return fault.status, {"message": fault.message}, dict(fault.headers)
            if token != f"token {TOKEN}":
                return 401, {"message": "Bad credentials"}, {}
            return self._route(method, parts.path, parse_qs(parts.query), body)

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> Reply:
        root = f"/repos/{self.full_name}"
        if self.moved_to and path.startswith(root):
            target = self.url + path.replace(root, f"/repos/{self.moved_to}")
            return (301 if method == "GET" else 307), {"message": "Moved", "url": target}, {"Location": target}
        root = f"/repos/{self.moved_to or self.full_name}"
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", rf"{root}", lambda: (200, self._repository(), {})),
            ("GET", rf"{root}/pulls", lambda: self._page(self._listed(query), path, query)),
            ("POST", rf"{root}/pulls", lambda: self._create(body)),
            ("GET", rf"{root}/pulls/(\d+)", lambda n: (200, self._pull(n, full=True), {})),
            ("GET", rf"{root}/issues/(\d+)/comments", lambda n: self._page(self.comments.get(n, []), path, query)),
            ("POST", rf"{root}/issues/(\d+)/comments", lambda n: (201, self._add_comment(n, body["body"]), {})),
            ("PATCH", rf"{root}/issues/comments/(\d+)", lambda n: self._edit(n, body["body"])),
            ("POST", rf"{root}/issues/(\d+)/labels", lambda n: self._label(n, body)),
        ]
        for verb, pattern, handler in routes:
            match = re.fullmatch(pattern, path)
            if (
                match
                and verb == method
                and not (match.groups() and "/pulls/" in path and int(match[1]) not in self.pulls)
            ):
                return handler(*map(int, match.groups()))
        return 404, {"message": "Not Found"}, {}

    def _create(self, body: Json) -> Reply:
        head, owner = body["head"].split(":")[-1], self.full_name.split("/")[0]
        if any(self._fits(pull, head) and pull["state"] == "open" for pull in self.pulls.values()):
            return _invalid(f"A pull request already exists for {owner}:{head}.")
        if head not in self.branches or body["base"] not in self.branches:
            return _invalid("head: invalid" if head not in self.branches else "base: invalid")
        if self.branches[head] == self.branches[body["base"]]:
            return _invalid(f"No commits between {body['base']} and {head}")
        if body.get("draft") and not self.drafts:
            return _invalid("Draft pull requests are not supported in this repository.")
        return (
            201,
            self._pull(self._new(head, body["title"], body["body"], bool(body.get("draft")))["number"], full=True),
            {},
        )

    def _new(self, ref: str, title: str, body: str, draft: bool) -> Json:
        number = len(self.pulls) + 1
        self.pulls[number] = {
            "number": number, "ref": ref, "sha": self.branches.get(ref, "f" * 40), "title": title, "body": body,
            "draft": draft, "state": "open", "labels": [], "merged_at": None, "merge_commit_sha": "7" * 40, "fork": "",
        }  # fmt: skip
        return self.pulls[number]

    def _fits(self, pull: Json, head: str) -> bool:
        return pull["ref"] == head and not pull["fork"]

    def _listed(self, query: dict[str, list[str]]) -> list[Json]:
        if self.stale_lists:
            self.stale_lists -= 1
            return []
        state, head = query.get("state", ["open"])[0], query.get("head", [""])[0]
        owner, _, branch = head.rpartition(":")
        rows = [pull for pull in self.pulls.values() if state in ("all", pull["state"])]
        if owner and not self.ignores_head:
            rows = [
                pull
                for pull in rows
                if pull["ref"] == branch and (pull["fork"] or self.full_name).startswith(f"{owner}/")
            ]
        return [self._pull(pull["number"], full=False) for pull in sorted(rows, key=lambda p: -p["number"])]

    def _pull(self, number: int, *, full: bool) -> Json:
        pull = self.pulls[number]
        name = pull["fork"] or self.moved_to or self.full_name
        sha = self.branches.get(pull["ref"], pull["sha"]) if pull["state"] == "open" else pull["sha"]
        kept = ("number", "title", "body", "draft", "state", "labels", "merged_at", "merge_commit_sha")
        shown = {
            **{key: pull[key] for key in kept},
            "url": f"{self.url}/repos/{self.full_name}/pulls/{number}",
            "issue_url": f"{self.url}/repos/{self.full_name}/issues/{number}",
            "html_url": f"{self.url}/{self.full_name}/pull/{number}",
            "user": {"login": BOT, "type": "User"},
            "head": {"ref": pull["ref"], "sha": sha, "repo": {"full_name": name}},
            "base": {"ref": "main", "sha": self.branches["main"]},
        }
        return {**shown, "merged": pull["merged_at"] is not None} if full else shown

    def _repository(self) -> Json:
        name = self.moved_to or self.full_name
        owner = {"login": name.split("/")[0], "type": "Organization"}
        return {"full_name": name, "name": name.split("/")[1], "owner": owner, "url": f"{self.url}/repos/{name}"}

    def _add_comment(self, number: int, body: str, login: str = BOT, kind: str = "User") -> Json:
        self._ids += 1
        url = f"{self.url}/repos/{self.full_name}/issues/comments/{self._ids}"
        comment = {"id": self._ids, "body": body, "user": {"login": login, "type": kind}, "url": url}
        self.comments.setdefault(number, []).append(comment)
        return comment

    def _edit(self, comment_id: int, body: str) -> Reply:
        comment = next(c for rows in self.comments.values() for c in rows if c["id"] == comment_id)
        if comment["user"]["login"] != BOT:
            return 403, {"message": "Must have admin rights"}, {}
        comment["body"] = body
        return 200, comment, {}

    def _label(self, number: int, body: Any) -> Reply:
        names = body["labels"] if isinstance(body, dict) else body
        self.pulls[number]["labels"] += [{"name": name, "url": f"{self.url}/labels/{name}"} for name in names]
        return 200, self.pulls[number]["labels"], {}

    def _page(self, rows: list[Json], path: str, query: dict[str, list[str]]) -> Reply:
        size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        shown = rows[(page - 1) * size : page * size]
        more = "&".join(f"{key}={value[0]}" for key, value in query.items() if key != "page")
        link = {"Link": f'<{self.url}{path}?{more}&page={page + 1}>; rel="next"'} if page * size < len(rows) else {}
        return 200, shown, link


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; everything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def github_server(full_name: str = "team/shop") -> Iterator[GitHubServer]:
    """Serves on an ephemeral port of 127.0.0.1 until the block ends; `server.url` is the base URL."""
    state = GitHubServer(full_name)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else {}
            status, reply, headers = state.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            if status == 0:  # the connection is lost without an answer
                self.close_connection = True
                return
            data = json.dumps(reply).encode()
            self.send_response(status)
            for key, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _handle

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with _Server(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()


def _invalid(message: str) -> Reply:
    return 422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": message}]}, {}
