"""Texts: slugs, words, reports."""

import json
import logging
import re

logger = logging.getLogger("workshop")

KEPT = "a-z0-9"
FOOTER = {"unit": "EUR", "source": "workshop", "columns": ["name", "amount"]}


def slugs(titles: list[str]) -> list[str]:
    """A slug for each title; a title without any letter or digit gets `untitled`."""
    found = []
    for title in titles:
        pattern = re.compile(rf"[^{KEPT}]+", re.ASCII)
        slug = pattern.sub("-", title.lower()).strip("-")
        found.append(slug or "untitled")
    return found


def common_words(texts: list[str], stop: list[str]) -> dict[str, int]:
    """How often each word occurs that is no stop word."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in text.lower().split():
            if word in stop:
                continue
            counts[word] = counts.get(word, 0) + 1
    logger.info("%s different words", len(counts))
    return counts


def journal(lines: list[str]) -> str:
    """The lines as one text, the newest (last) first."""
    text = ""
    for line in lines:
        text = line.strip() + "\n" + text
    return text


def rows(names: list[str]) -> list[str]:
    """A JSON row for each name, each with the report's footer."""
    found = []
    for name in names:
        footer = json.dumps(FOOTER, sort_keys=True)
        found.append(f'{{"name": {json.dumps(name)}, "footer": {footer}}}')
    return found


def longest(texts: list[str]) -> list[str]:
    """The texts that are as long as the longest one, in their order."""
    found = []
    for text in texts:
        if len(text) == max(len(other) for other in texts):
            found.append(text)
    return found
