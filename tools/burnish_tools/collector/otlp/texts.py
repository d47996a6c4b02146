"""Normalised statements by id, as long as spans that wait may name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

MAX_TEXTS, MAX_CHARACTERS = 50_000, 50_000_000


class Texts(Mapping[str, tuple[str, str]]):
    """(text, system) by id; beyond the bounds those that were not seen for longest are forgotten."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, str]] = {}
        self._characters = 0

    def update(self, new: Mapping[str, tuple[str, str]]) -> None:
        """Takes texts in; they are the newest then."""
        for key, told in new.items():
            before = self._texts.pop(key, None)
            self._characters += len(told[0]) - (len(before[0]) if before else 0)
            self._texts[key] = told[0], told[1]
        while len(self._texts) > MAX_TEXTS or (self._characters > MAX_CHARACTERS and len(self._texts) > 1):
            self._characters -= len(self._texts.pop(next(iter(self._texts)))[0])

    def __getitem__(self, key: str) -> tuple[str, str]:
        return self._texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
