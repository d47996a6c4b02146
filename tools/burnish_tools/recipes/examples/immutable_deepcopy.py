"""Examples for `immutable_deepcopy`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "shop.rules:rules", "shop/rules.py", Evidence(own_share=0.9))


def act(name: str, before: str, after: str) -> Act:
    """One file changes."""
    return Act(name, {"shop/rules.py": before}, FINDING, {"shop/rules.py": after})


def refuse(name: str, body: str, why: Why = Why.AMBIGUOUS, detail: str = "") -> Refuse:
    """One file stays."""
    return Refuse(name, {"shop/rules.py": body}, FINDING, why, detail)


CONSTANT = """import copy
import math

LIMITS = (("daily", 100), ("weekly", 500.5), None)


def rules(rows):
    found = []
    for row in rows:
        limits = copy.deepcopy(LIMITS)  # ours
        found.append(limits[0])
    return copy.copy(found), math.pi
"""
CONSTANT_AFTER = CONSTANT.replace("copy.deepcopy(LIMITS)", "LIMITS")
FROM = """from copy import deepcopy


def rules(rows):
    word = "a" if rows else "b"
    return [deepcopy(word) for row in rows], deepcopy((1, word)), deepcopy(rows)
"""
FROM_AFTER = FROM.replace("deepcopy(word)", "word").replace("deepcopy((1, word))", "(1, word)")
TEXT = """import copy


def rules(rows):
    return [copy.copy(str(row)) + copy.deepcopy(f"{row}!") for row in rows], copy
"""
TEXT_AFTER = TEXT.replace("copy.copy(str(row))", "str(row)").replace('copy.deepcopy(f"{row}!")', 'f"{row}!"')
LINES = """import copy

PARTS = ("a", ("b", b"c"))


def rules(rows):
    for row in rows:
        row.parts = copy.deepcopy(
            PARTS
        )
    return copy.deepcopy(rows)
"""
LINES_AFTER = LINES.replace("copy.deepcopy(\n", "(\n")
LOCAL = """import copy  # for later
import math


def rules(rows):
    size = len(rows)
    return {row: copy.deepcopy(size) for row in rows}, math.pi
"""
LOCAL_AFTER = LOCAL.replace("copy.deepcopy(size)", "size")
RENAMED = """from copy import deepcopy as clone

KEY = ("x", -1, True, 2j)


def rules(rows):
    return dict.fromkeys(clone(rows), clone(KEY))
"""
RENAMED_AFTER = RENAMED.replace("clone(KEY)", "KEY")

IMMUTABLE_DEEPCOPY: tuple[Act | Refuse, ...] = (
    act("a constant", CONSTANT, CONSTANT_AFTER),
    act("some of several", FROM, FROM_AFTER),
    act("texts", TEXT, TEXT_AFTER),
    act("over several lines", LINES, LINES_AFTER),
    act("a number; the import has a comment", LOCAL, LOCAL_AFTER),
    act("under another name", RENAMED, RENAMED_AFTER),
    refuse("a list inside", CONSTANT.replace("None)", "[])"), detail="`LIMITS`"),
    refuse("a dictionary", CONSTANT.replace('(("daily", 100), ("weekly", 500.5), None)', '{"daily": 100}')),
    refuse("a frozenset", CONSTANT.replace('(("daily", 100), ("weekly", 500.5), None)', 'frozenset(("a", "b"))')),
    refuse("a parameter", CONSTANT.replace("deepcopy(LIMITS)", "deepcopy(rows)"), detail="`rows`"),
    refuse("a constant that is bound twice", CONSTANT.replace("\n\n\ndef", '\nLIMITS += ("x",)\n\n\ndef')),
    refuse("a constant that a function sets", CONSTANT + "\n\ndef reset():\n    global LIMITS\n    LIMITS = []\n"),
    refuse("a local that hides it", CONSTANT.replace("    found = []", "    found = []\n    LIMITS = rows")),
    refuse(
        "an inner function changes it",
        LOCAL.replace(
            "    return", "    def more():\n        nonlocal size\n        size = []\n    more()\n    return"
        ),
        detail="a time of its own",
    ),
    refuse("another copy", CONSTANT.replace("import copy", "from shop import copy"), Why.NO_PATTERN),
    refuse("a table of what was copied", CONSTANT.replace("(LIMITS)", "(LIMITS, {})"), Why.NO_PATTERN, "no plain copy"),
    refuse("no copy", CONSTANT_AFTER.replace("copy.copy(found)", "found"), Why.NO_PATTERN),
    refuse("a comment says so", CONSTANT.replace("# ours", "# deliberately"), Why.LOAD_BEARING),
)
