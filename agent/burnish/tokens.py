"""Text for a model under a budget of tokens, without any model's tokenizer.

`estimated` counts on the safe side: letters at four to a token, digits at two, every other character as one, and what
is not ASCII by its bytes; a space goes with the word after it. Tokenizers of today make one token of most English words
of any length, of three digits and of runs such as `":`, so that they find fewer tokens in JSON and prose. No claim is
made for text of another kind (base64, long runs of hexadecimal digits).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

LETTERS, DIGITS = 4, 2
"""Characters to a token."""
_PIECES = re.compile(r"[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]")
MORE = "more"
"""The key that says how many elements of each list were left out."""


def estimated(text: str) -> int:
    """How many tokens the text is at most, in all likelihood."""
    return sum(_tokens(piece) for piece in _PIECES.findall(text))


def _tokens(piece: str) -> int:
    if piece[0].isascii() and piece[0].isalpha():
        return -(-len(piece) // LETTERS)
    return -(-len(piece) // DIGITS) if piece.isdigit() and piece.isascii() else len(piece.encode())


def as_json(data: Mapping[str, Any]) -> str:
    """One line of JSON, which is what is counted."""
    return json.dumps(data, ensure_ascii=False, separators=(", ", ": "))


def fitted(data: Mapping[str, Any], budget: int, least_first: Sequence[str], keep: int = 1) -> dict[str, Any]:
    """The data with as much as fits into `budget` tokens.

    Taken away are, in this order, the last elements of the lists named in `least_first` as long as they have more than
    `keep`, then the rest of these lists and the other keys named there. What is not named stays, whatever the budget.
    `more` says how many elements of each list are missing, and lists the keys that are.
    """
    found = dict(data)
    gone: dict[str, int] = {}
    for at_least in (keep, 0):
        for key in least_first:
            while key in found and estimated(as_json(_told(found, gone))) > budget:
                if not _take(found, gone, key, at_least):
                    break
    return _told(found, gone)


def _take(found: dict[str, Any], gone: dict[str, int], key: str, at_least: int) -> bool:
    """Takes one element away, or the key itself; False where neither may go."""
    value = found[key]
    if isinstance(value, list) and len(value) > at_least:
        gone[key] = gone.get(key, 0) + 1
        found[key] = value[:-1]
    elif at_least:
        return False
    elif not isinstance(value, list):
        gone[key] = 1
        del found[key]
    if found.get(key) == []:
        del found[key]
    return key in found


def _told(found: Mapping[str, Any], gone: Mapping[str, int]) -> dict[str, Any]:
    return {**found, MORE: dict(gone)} if gone else dict(found)
