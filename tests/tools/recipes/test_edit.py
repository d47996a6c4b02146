"""Edits of one file: only what is edited changes, to the byte; imports come and go with what needs them."""

from __future__ import annotations

import pytest

from burnish.job import Change
from burnish_tools.recipes._base import Act, MemorySource
from burnish_tools.recipes.deque import Deque
from burnish_tools.recipes.examples import deque as queues
from burnish_tools.recipes.examples import immutable_deepcopy as copies
from burnish_tools.recipes.immutable_deepcopy import ImmutableDeepcopy

BODY = "def rules(rows):\n    return [copy.deepcopy(LIMITS) for row in rows]\n"
AFTER = BODY.replace("copy.deepcopy(LIMITS)", "LIMITS")
CONSTANT = 'LIMITS = ("a", 1)\n\n\n'


def _copied(head: str, body: str = BODY) -> str:
    change = ImmutableDeepcopy().apply(copies.FINDING, MemorySource({"shop/rules.py": head + CONSTANT + body}))
    assert isinstance(change, Change), change
    return change.edits[0].after


@pytest.mark.parametrize(
    "head, after",
    [
        ("import copy\n\n", ""),
        ('"""Rules."""\n\nimport copy\nimport json\n\n', '"""Rules."""\n\nimport json\n\n'),
        ("import json\nimport copy\n\n", "import json\n\n"),
        ("import json, copy\n\n", "import json, copy\n\n"),
        ("# the copies\nimport copy\n\n", "# the copies\nimport copy\n\n"),
        ("import copy  # noqa\n\n", "import copy  # noqa\n\n"),
        ('import copy\n\n__all__ = ["copy"]\n', 'import copy\n\n__all__ = ["copy"]\n'),
    ],
)
def test_an_import_goes_with_its_last_use(head: str, after: str) -> None:
    assert _copied(head) == after + CONSTANT + AFTER


def test_an_import_stays_while_something_uses_it() -> None:
    assert _copied("import copy\n\n", BODY + "\n\nmake = copy.copy\n").startswith("import copy\n")


@pytest.mark.parametrize(
    "head, after",
    [
        ("import os\nimport sys\n\n", "import os\nimport sys\nfrom collections import deque\n\n"),
        ("from abc import ABC\nfrom typing import Any\n\n", None),
        ("import django\n\n", "from collections import deque\n\nimport django\n\n"),
        ("from .rows import row\n\n", "from collections import deque\n\nfrom .rows import row\n\n"),
        (
            "from __future__ import annotations\n\n",
            "from __future__ import annotations\n\nfrom collections import deque\n\n",
        ),
        ('"""Walks."""\n\n', '"""Walks."""\n\nfrom collections import deque\n\n'),
    ],
)
def test_an_import_comes_where_it_belongs(head: str, after: str | None) -> None:
    after = after or head.replace("from typing", "from collections import deque\nfrom typing")
    change = Deque().apply(queues.FINDING, MemorySource({"graph/walk.py": head + "\n" + queues.BREADTH}))
    assert isinstance(change, Change), change
    assert change.edits[0].after == after + "\n" + queues.BREADTH_AFTER


ODD = (
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n\n\nx = 1;   y = [ 1,2,\t3 ]\n",
    "if True:\n        z  =  {  'a':1 }   # eight spaces\nelse:\n  z = None\n",
    "class A ( object ) :\n\n\n    def a ( self ):\n\t    return   self\n",
    'text = """\n   trailing   \n\t"""\n\n\n\n\n',
    "def tabs():\n\tif 1:\n\t\treturn\t2\n\n",
    "s = 'a\\\n b'; t = 2\nlong = 1 + \\\n    2\n",
    "\x0c\ndef after_form_feed(): pass\n",
)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("tabs", [False, True])
def test_the_rest_of_the_file_stays_to_the_byte(odd: str, ends: str, mark: str, tabs: bool) -> None:
    (example,) = [each for each in queues.DEQUE if isinstance(each, Act) and each.name == "collections is imported"]
    before, after = example.files["graph/walk.py"], example.after["graph/walk.py"]
    if tabs:
        before, after = before.replace("    ", "\t"), after.replace("    ", "\t")
    around = [(mark + text + odd + f"\n\n# end {odd!r}  ").replace("\n", ends) for text in (before, after)]
    change = Deque().apply(queues.FINDING, MemorySource({"graph/walk.py": around[0]}))
    assert isinstance(change, Change), change
    assert change.edits[0].before == around[0]
    assert change.edits[0].after == around[1]
