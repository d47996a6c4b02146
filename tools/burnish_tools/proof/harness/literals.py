"""Mode `literals`: calls and their outcomes as Python source, where that says exactly what they are."""

from __future__ import annotations

import builtins
import math
from typing import Any

from . import determinism, hook
from .boot import Booted
from .player import Endless, Overtime, Player, arguments, limited, load

MAX_SOURCE = 2000
SINGLE = (bool, int, str, bytes, type(None))
SEVERAL = (list, tuple, set, frozenset)


def run(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """{"calls": {number: {"arguments", "returned" | "raised"}}} of those cases that can be written down; `returned` is
    source, `raised` the name of an exception of Python's own."""
    player, cases = Player(job, service), load(job["cases"])
    found = {str(number): _written(player, cases[number]) for number in job["ids"]}
    return {"calls": {n: call for n, call in found.items() if call}, "kind": hook.kind(player.function)}


def _written(player: Player, case: dict[str, Any]) -> dict[str, str]:
    args, kwargs = arguments(case)
    written = [source(value) for value in args] + [f"{name}={source(value)}" for name, value in kwargs.items()]
    if not all(exact(value) for value in (*args, *kwargs.values())):
        return {}
    try:
        determinism.restart()
        with player.service.database.rolled_back(), limited(player.seconds):
            _, result = player.timed(args, kwargs)
    except (Overtime, Endless):
        return {}
    except Exception as error:  # noqa: BLE001 - what it raises is what it does
        own = getattr(builtins, type(error).__name__, None) is type(error)
        return {"arguments": ", ".join(written), "raised": type(error).__name__} if own else {}
    plain = list(result) if isinstance(result, list) else result
    if not exact(plain) or len(source(plain)) + sum(map(len, written)) > MAX_SOURCE:
        return {}
    return {"arguments": ", ".join(written), "returned": source(plain)}


def exact(value: Any) -> bool:
    """Its source makes an equal value of the same type."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in SINGLE:
        return True
    if type(value) is dict:
        return all(exact(key) and exact(held) for key, held in value.items())
    return type(value) in SEVERAL and all(map(exact, value))


def source(value: Any) -> str:
    """Sets in order, so that the same call is always written in the same way."""
    if type(value) in (set, frozenset) and value:
        inside = "{" + ", ".join(sorted(map(source, value))) + "}"
        return inside if type(value) is set else f"frozenset({inside})"
    return repr(value)
