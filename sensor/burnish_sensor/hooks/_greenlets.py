"""Follows a thread through its greenlets, by greenlet's own trace function: each greenlet has a shadow stack."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ..threads import local

Trace = Callable[[str, Any], Any]


class Followed(local):  # type: ignore[misc]
    """How often following was begun in a thread, and the trace function that was there before."""

    def __init__(self) -> None:
        self.begun = 0
        self.trace: Trace | None = None
        self.before: Trace | None = None


class Follower:
    """``begin`` and ``end`` are for the current thread, and may be nested. Neither they nor the trace function raise.

    ``is_hub`` tells the greenlets that run others: what these do is not done by who happened to start the hub.
    """

    def __init__(self, greenlet: Any, probe: Probe, is_hub: Callable[[Any], bool] = lambda greenlet: False) -> None:
        self._greenlet, self._probe, self._is_hub = greenlet, probe, is_hub
        self._here = Followed()

    def begin(self) -> None:
        """Follow the greenlets of this thread from now on."""
        here = self._here
        here.begun += 1
        if here.trace is None or self._greenlet.gettrace() is not here.trace:
            here.before = self._greenlet.gettrace()
            here.trace = self._make(here.before)
            self._probe.entries.switches()[0](id(self._greenlet.getcurrent()), 0)
            self._greenlet.settrace(here.trace)

    def end(self) -> None:
        """Take ``begin`` back. Where another tool traces on top of this one meanwhile, its trace stays."""
        here = self._here
        here.begun = max(here.begun - 1, 0)
        if not here.begun and here.trace is not None and self._greenlet.gettrace() is here.trace:
            self._greenlet.settrace(here.before)
            here.trace = here.before = None

    def _make(self, before: Trace | None) -> Trace:
        probe, is_hub = self._probe, self._is_hub
        switch, drop = probe.entries.switches()

        def trace(event: str, greenlets: Any) -> None:
            try:
                if probe.active and event in ("switch", "throw"):
                    origin, target = greenlets
                    parent = target.parent
                    above = parent is not None and not is_hub(parent) and not is_hub(target)
                    switch(id(target), id(parent) if above else 0)
                    if origin.dead:
                        drop(id(origin))
            except Exception:  # noqa: BLE001 - the edge: greenlet would raise it in the application
                pass
            if before is not None:
                before(event, greenlets)

        return trace
