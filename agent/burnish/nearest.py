"""Names that somebody may have meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

MOST = 3
WHOLE, TAIL = 0.75, 0.6
"""Least likeness (difflib's ratio). Whole names share their module, so that more has to agree."""


def nearest(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Of `module:Qualified.name`s, those most like the text: as a whole where it has a module, else by their last
    part."""
    if ":" in text:
        return tuple(get_close_matches(text, names, MOST, WHOLE))
    by_tail: dict[str, list[str]] = {}
    for name in names:
        by_tail.setdefault(re.split(r"[:.]", name)[-1], []).append(name)
    tails = get_close_matches(re.split(r"[:.]", text)[-1], list(by_tail), MOST, TAIL)
    return tuple(name for tail in tails for name in by_tail[tail])[:MOST]
