"""Changes the form of rewritten functions by exchanging their code (``variants.py``)."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..recording.sampling import Sampling
from .registry import Registry, Source
from .switch import COUNTING, LIGHT
from .variants import Slot, Slots


class CodeExchange:
    """The switch of rewritten code. A running frame keeps its code, so that no call is cut off."""

    def __init__(self, slots: Slots, registry: Registry, sampling: Sampling) -> None:
        self._slots, self._registry, self._sampling = slots, registry, sampling
        #: the syntax trees of the latest module: what is shed together often is in one
        self._parsed: tuple[Source, ast.Module] | None = None

    def can_change(self, function: int) -> bool:
        """Whether the other forms of the code can be made; made once."""
        slot = self._slots.get(function)
        source = self._registry.functions[function].source
        if slot is None or slot.broken or source is None:
            return False
        try:
            if slot.light is None and not self._slots.build(function, self._tree(source)):
                return False
        except Exception:  # noqa: BLE001 - whatever the parser or the compiler meets: this function stays exact
            slot.broken = True
            return False
        for code in (slot.timed, slot.light, slot.counting):
            if code is not None:
                self._sampling.know(code, function, reports=code is slot.timed)
        return True

    def _tree(self, source: Source) -> ast.Module:
        if self._parsed is None or self._parsed[0] is not source:
            self._parsed = source, ast.parse(source.text)
        return self._parsed[1]

    def change(self, functions: Iterable[int], form: int) -> int:
        """See ``Switch``."""
        return sum(self._change(self._slots[function], form) for function in functions)

    def _change(self, slot: Slot, form: int) -> int:
        return slot.exchange({LIGHT: slot.light, COUNTING: slot.counting}.get(form))

    def restart_counts(self, functions: Iterable[int]) -> None:
        """See ``Switch``."""
        for function in functions:
            self._slots[function].counted.clear()

    def take_counts(self, functions: Iterable[int]) -> dict[int, int]:
        """See ``Switch``."""
        return {function: len(self._slots[function].counted) for function in functions}

    def end_slice(self, functions: Iterable[int]) -> int:
        """Nothing to give up: each call that was recorded reports its end."""
        return 0
