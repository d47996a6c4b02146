"""Text for a forge: hidden markers and a limit on length."""

from __future__ import annotations

import re

LIMIT = 60_000
"""Characters of a body or comment. GitHub refuses 65,536; the rest is for what a forge adds."""

_DETAILS = re.compile(r"(<details><summary>.*?</summary>\n)(.*?)(\n</details>)", re.DOTALL)
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
_CUT = "\n… {n:,} characters left out …\n"


def job_marker(branch: str) -> str:
    """The hidden line that names the job of a pull request from its branch."""
    return f"<!-- burnish:v1 id={branch.removeprefix('burnish/')} -->"


def topic_marker(topic: str) -> str:
    """The hidden line by which a comment is found again."""
    return f"<!-- burnish:topic={re.sub(r'[^A-Za-z0-9_.-]', '-', topic)} -->"


def marked(body: str, branch: str) -> str:
    """A body with a hidden job line, within the limit; one that has such a line keeps it."""
    return capped(body if "<!-- burnish:v1 id=" in body else f"{job_marker(branch)}\n{body}")


def capped(body: str, limit: int = LIMIT) -> str:
    """At most `limit` characters: the longest evidence (`<details>`) is shortened first, then the rest's middle."""
    while len(body) > limit:
        found = max(_DETAILS.finditer(body), key=lambda match: len(match.group(2)), default=None)
        if found is None or len(found.group(2)) < 200:
            return _without_middle(body, limit, limit * 2 // 3)
        room = max(0, len(found.group(2)) - (len(body) - limit) - 60)
        shorter = _closed(found.group(2)[:room]) + _CUT.format(n=len(found.group(2)) - room)
        body = body[: found.start(2)] + shorter[: len(found.group(2)) - 1] + body[found.end(2) :]
    return body


def _without_middle(text: str, limit: int, head: int) -> str:
    note = _CUT.format(n=len(text) - limit)
    tail = limit - head - len(note) - 8
    return _closed(text[:head]) + note + text[-tail:]


def _closed(text: str) -> str:
    """Closes a code fence that a cut has left open."""
    fences = _FENCE.findall(text)
    return f"{text}\n{fences[-1]}" if len(fences) % 2 else text
