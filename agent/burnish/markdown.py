"""Text from elsewhere inside Burnish's own Markdown: it notifies nobody, closes nothing and cannot leave its fence."""

from __future__ import annotations

import re

_MENTION = re.compile(r"(?<![\w`])@(?=[A-Za-z0-9])")
_REFERENCE = re.compile(
    r"#(?=\d)|(?<=\bGH)-(?=\d)|(?<=github\.com)/(?=[\w.-]+/[\w.-]+/(?:issues|pull|commit|discussions)/)"
)
_ZERO_WIDTH = "\u200b"


def neutral(quoted: str) -> str:
    """Quoted text in which no `@name` notifies, no `#12` or issue URL links or closes, and no hidden line hides."""
    harmless = _MENTION.sub(f"@{_ZERO_WIDTH}", quoted).replace("<!--", "&lt;!--")
    return _REFERENCE.sub(lambda found: found.group() + _ZERO_WIDTH, harmless)


def fenced(text: str, language: str = "") -> str:
    """A code block; the text cannot end it."""
    return f"```{language}\n{text.replace('```', 'ʼʼʼ').rstrip()}\n```"
