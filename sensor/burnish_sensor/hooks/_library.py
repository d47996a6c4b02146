"""What a hook file gets: a module of a library, and the means to wrap what is in it and to take that back."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, Callable

from ..probe import Probe

#: makes the replacement of a function from the function
Wrapper = Callable[[Callable[..., Any], Probe], Callable[..., Any]]
_ABSENT = object()


class Library:
    """A module being hooked. ``wrap`` raises AttributeError where the library has no such function."""

    def __init__(self, module: ModuleType, probe: Probe) -> None:
        self.module: Any = module
        self.probe = probe
        self._undo: list[Callable[[], None]] = []
        self._names: list[tuple[Any, str]] = []

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """Replace a function of a class or module; once, however often this is called."""
        original = getattr(owner, name)
        if getattr(original, "__burnish__", False):
            self._adopt(owner, name, original)
            return
        replacement = wrapper(original, self.probe)
        try:
            functools.update_wrapper(replacement, original)
        except (AttributeError, TypeError):  # a function of a C type may lack some attributes
            pass
        replacement.__burnish__ = True  # type: ignore[attr-defined]
        self.replace(owner, name, replacement)

    def _adopt(self, owner: Any, name: str, wrapped: Any) -> None:
        """Put back also what holds a wrapper of elsewhere: a module that took over all names of another."""
        if vars(owner).get(name) is wrapped and (owner, name) not in self._names:
            self.on_undo(lambda: _put_back(owner, name, wrapped, wrapped.__wrapped__))

    def wrap_own(self, owner: Any, names: dict[str, Wrapper]) -> None:
        """Wrap those of the functions that a class defines itself and does not inherit."""
        for name, wrapper in names.items():
            if name in vars(owner):
                self.wrap(owner, name, wrapper)

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute, and remember what was there."""
        before = vars(owner).get(name, _ABSENT)
        self._names.append((owner, name))
        setattr(owner, name, value)
        self.on_undo(lambda: _put_back(owner, name, value, before))

    def on_undo(self, action: Callable[[], None]) -> None:
        """What else takes a part of the hook out again."""
        self._undo.append(action)

    def undo(self) -> None:
        """Put everything back, the last first: half a hook would count half the truth. Never raises."""
        while self._undo:
            try:
                self._undo.pop()()
            except Exception:  # noqa: BLE001 - the library's objects; the wrapper that stays records nothing
                pass


def _put_back(owner: Any, name: str, value: Any, before: Any) -> None:
    """Only what is ours: another tool may have wrapped our wrapper since."""
    if vars(owner).get(name) is not value:
        return
    if before is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, before)
