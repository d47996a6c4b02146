"""Tests for changed lines that no test of the service runs: what the old code does, written down as plain asserts.

They come with the change, and pass without it and with it. Only values whose source is exact are written down.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from burnish.job import FileEdit

MOST = 8
"""Tests in such a file: somebody has to read them."""
ENOUGH = 4
"""Up to so many, there is one of each outcome too."""
Calls = Mapping[int, Mapping[str, str]]
"""By number of the case: `arguments`, and `returned` or `raised`."""


def chosen(runs: Mapping[int, Sequence[str]], written: Calls) -> list[int] | None:
    """Cases that together run every line that any case in `runs` does, the one that adds most first, and one more of
    each outcome while there is room. None where the lines cannot all be run by cases that can be written down."""
    written = dict(sorted(written.items(), key=lambda item: len("".join(item[1].values()))))
    left = {line for lines in runs.values() for line in lines}
    found: list[int] = []
    while left and len(found) < MOST:
        best = max(written, key=lambda n: len(left & set(runs.get(n, ()))), default=None)
        if best is None or not left & set(runs.get(best, ())):
            return None
        found.append(best)
        left -= set(runs[best])
    outcomes = {_outcome(written[number]) for number in found}
    for number, call in written.items():
        if len(found) < ENOUGH and _outcome(call) not in outcomes:
            found.append(number)
            outcomes.add(_outcome(call))
    return None if left else found


def _outcome(call: Mapping[str, str]) -> str:
    return call.get("returned", call.get("raised", ""))


def file_of(function: str, kind: str, calls: Sequence[Mapping[str, str]], tests: Iterable[str]) -> FileEdit:
    """A new file beside the tests of the service (`tests`: paths of its test files)."""
    module, _, name = function.partition(":")
    return FileEdit(
        path=f"{_folder(tests)}test_{_slug(name)}_characterization.py",
        before=None,
        after=_text(module, name, kind, calls),
    )


def _folder(tests: Iterable[str]) -> str:
    """Where most of them are."""
    folders = Counter(str(PurePosixPath(path).parent) for path in tests)
    folder = min(folders, key=lambda f: (-folders[f], f), default=".")
    return "" if folder == "." else f"{folder}/"


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def names(edit: FileEdit) -> list[str]:
    """Node ids of the tests in such a file."""
    return [f"{edit.path}::{name}" for name in re.findall(r"^def (test_\w+)", edit.after, re.MULTILINE)]


def _text(module: str, name: str, kind: str, calls: Sequence[Mapping[str, str]]) -> str:
    raising = any("raised" in call for call in calls)
    imports = [*(["import asyncio"] if kind == "coroutine" else []), *(["import pytest"] if raising else [])]
    head = (
        f'"""What {module}.{name} returns, written down before it was made faster; no other test runs these lines."""'
    )
    blocks = [head, *imports, f"from {module} import {name}"]
    return "\n\n".join(blocks) + "".join(_test(name, kind, n, call) for n, call in enumerate(calls, 1)) + "\n"


def _test(name: str, kind: str, number: int, call: Mapping[str, str]) -> str:
    called = f"{name}({call['arguments']})"
    called = {"generator": f"list({called})", "coroutine": f"asyncio.run({called})"}.get(kind, called)
    begin = f"\n\n\ndef test_{_slug(name)}_{number}():\n"
    if "raised" in call:
        return f"{begin}    with pytest.raises({call['raised']}):\n        {called}"
    return f"{begin}    assert {called} {'is' if call['returned'] == 'None' else '=='} {call['returned']}"
