"""Examples for `hoist_call`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "bills.total:total", "bills/total.py", Evidence(own_share=0.9))
RULES = '''"""Rules."""

import math
import os

BASE = 100
STEPS = (("DE", 19), ("FR", 20))
SEEN = []


def rate(country: str, extra=0):
    """Percent."""
    found = BASE
    for code, percent in STEPS:
        if code == country.upper():
            found += percent
    if found < 0:
        raise ValueError(f"no rate for {country}")
    return found + math.floor(extra / 2)


def label(country):
    return ", ".join(sorted(_letters(country))).strip()


def _letters(country):
    letters = []
    for letter in country:
        letters.append(letter)
    return letters


def noted(country):
    SEEN.append(country)
    return len(country)


def parts(country):
    return country.split("-")


def asked(country):
    return int(os.environ.get(country, "0"))


def removed(country):
    os.remove(country)
    return 1


def remembered(country, seen={}):
    return len(seen)


def first(country):
    return SEEN[0]


def counted(country):
    global BASE
    BASE += 1
    return BASE
'''
FIXED_RULES = RULES.replace("\n\ndef counted(country):\n    global BASE\n    BASE += 1\n    return BASE\n", "")


def act(name: str, before: str, after: str) -> Act:
    """One file changes; the rules beside it stay."""
    return Act(name, {"bills/total.py": before, "bills/rules.py": FIXED_RULES}, FINDING, {"bills/total.py": after})


def refuse(name: str, body: str, why: Why = Why.AMBIGUOUS, detail: str = "", rules: str = FIXED_RULES) -> Refuse:
    """Nothing changes."""
    return Refuse(name, {"bills/total.py": body, "bills/rules.py": rules}, FINDING, why, detail)


PURE = """from bills.rules import rate


def total(lines):
    country = "DE"
    found = 0
    for line in lines:
        found += rate(country, extra=3)  # in percent
        line.check(found)
    return found
"""
PURE_AFTER = """from bills.rules import rate


def total(lines):
    country = "DE"
    found = 0
    rate_once = None
    for line in lines:
        if rate_once is None:
            rate_once = rate(country, extra=3)
        found += rate_once  # in percent
        line.check(found)
    return found
"""
NESTED = """from bills import rules


def total(groups):
    for group in groups:
        name = str(group.name)
        for row in group.rows:
            for cell in row:
                if rules.label(name) != cell.label:
                    cell.fix(rules.label(name))
"""
NESTED_AFTER = """from bills import rules


def total(groups):
    for group in groups:
        name = str(group.name)
        label_once = None
        for row in group.rows:
            for cell in row:
                if label_once is None:
                    label_once = rules.label(name)
                if label_once != cell.label:
                    cell.fix(label_once)
"""
DECIMAL = """from decimal import Decimal


def total(lines):
    found = Decimal(0)
    for line in lines:
        found += line.net * Decimal("1.19")
        if line.net > Decimal("1000"):
            line.large = True
    return found
"""
DECIMAL_AFTER = """from decimal import Decimal


def total(lines):
    found = Decimal(0)
    fixed_decimal = Decimal("1.19")
    fixed_decimal_2 = Decimal("1000")
    for line in lines:
        found += line.net * fixed_decimal
        if line.net > fixed_decimal_2:
            line.large = True
    return found
"""
DATES = """import datetime as dt


def total(lines):
    return [line for line in lines if line.day > dt.datetime.strptime("2024-01-31", "%Y-%m-%d")]
"""
FROZEN = """def total(lines):
    found = []
    for line in lines:
        wanted = frozenset(("a", "b"))
        found.append(line.code in wanted)
    return found
"""
FROZEN_AFTER = FROZEN.replace("    for", '    fixed_frozenset = frozenset(("a", "b"))\n    for').replace(
    'wanted = frozenset(("a", "b"))', "wanted = fixed_frozenset"
)
LENGTH = """def total(lines):
    nets = [line.net for line in lines]
    place = 0
    while place < len(nets):
        lines[place].share = nets[place] / len(nets)
        place += 1
"""
LENGTH_TOO = """def total(lines):
    nets = [line.net for line in lines]
    for line in lines:
        line.share = line.net / len(nets)
        line.known = line.code in frozenset(("a", "b"))
"""
LENGTH_TOO_AFTER = """def total(lines):
    nets = [line.net for line in lines]
    len_nets = len(nets)
    fixed_frozenset = frozenset(("a", "b"))
    for line in lines:
        line.share = line.net / len_nets
        line.known = line.code in fixed_frozenset
"""
TIMES = """import datetime as dt


def total(lines):
    late = []
    for line in lines:
        late.append(line.day > dt.datetime.strptime("2024-01-31", "%Y-%m-%d") + dt.timedelta(days=2))
    return late
"""
TIMES_AFTER = """import datetime as dt


def total(lines):
    late = []
    fixed_strptime = dt.datetime.strptime("2024-01-31", "%Y-%m-%d")
    fixed_timedelta = dt.timedelta(days=2)
    for line in lines:
        late.append(line.day > fixed_strptime + fixed_timedelta)
    return late
"""


def _with(name: str) -> str:
    return PURE.replace("import rate", f"import {name}").replace("rate(country, extra=3)", f"{name}(country)")


HOIST_CALL: tuple[Act | Refuse, ...] = (
    act("a pure function of the repository", PURE, PURE_AFTER),
    act("from the outer loop on", NESTED, NESTED_AFTER),
    act("literals", DECIMAL, DECIMAL_AFTER),
    act("a date and a duration", TIMES, TIMES_AFTER),
    act("a frozen set", FROZEN, FROZEN_AFTER),
    act("a length beside a literal", LENGTH_TOO, LENGTH_TOO_AFTER),
    refuse("a length alone", LENGTH, Why.NO_PATTERN, "hardly more than reading a name"),
    refuse("a duration alone", TIMES.replace('dt.datetime.strptime("2024-01-31", "%Y-%m-%d")', "line.due"),
        Why.NO_PATTERN, "hardly more than reading a name"),
    refuse("changes a global", _with("counted"), detail="Global", rules=RULES),
    refuse("a constant that a function sets", PURE, detail="BASE may change", rules=RULES),
    refuse("notes what it was given", _with("noted"), detail="SEEN may change"),
    refuse("returns a list", _with("parts"), detail="may return something that can be changed"),
    refuse("reads the environment", _with("asked"), detail="rules.py"),
    refuse("removes a file", _with("removed"), detail="rules.py"),
    refuse("a mutable default", _with("remembered"), detail="a default that may change"),
    refuse("reads what may change", _with("first"), detail="SEEN may change"),
    refuse("an argument of no known kind", PURE.replace('"DE"', "lines.country"), detail="`country`"),
    refuse("an argument that the loop binds", PURE.replace("        line.check", "        country = line.country\n"
        "        line.check"), Why.NO_PATTERN),
    refuse("another argument in each round", PURE.replace("rate(country,", "rate(line.country,"), Why.NO_PATTERN),
    refuse("decorated", PURE, Why.NO_PATTERN, rules=FIXED_RULES.replace("def rate", "@traced\ndef rate")),
    refuse("after something that may fail", PURE.replace("+= rate", "+= line.net() * rate"), detail="runs before"),
    refuse("only in some rounds", PURE.replace("rate(country, extra=3)", "line.net and rate(country)"), Why.NO_PATTERN,
        "only in some cases"),
    refuse("a literal that is wrong", DECIMAL.replace('"1.19"', '"1,19"').replace('Decimal("1000")', "9"),
        Why.NO_PATTERN, "fails"),
    refuse("only for some rows", DECIMAL.replace('line.net * Decimal("1.19")', "line.net").replace(
        'line.net > Decimal("1000")', 'line.new and line.net > Decimal("1000")'), Why.NO_PATTERN, "in some cases"),
    refuse("names of months", TIMES.replace('"2024-01-31", "%Y-%m-%d"', '"1 May", "%d %B"').replace(
        "dt.timedelta(days=2)", "line.days"), Why.NO_PATTERN, "locale"),
    refuse("only for rows that are left", DATES, Why.NO_PATTERN),
    refuse("a result that can be changed", "import json\n\n\ndef total(lines):\n    for line in lines:\n"
        "        line.data = json.loads('{}')\n", detail="could be changed"),
    refuse("the loop changes the list", LENGTH.replace("        place", "        nets.append(1)\n        place"),
        Why.NOT_INVARIANT, "len(nets)"),
    refuse("a list that others have", LENGTH.replace("    place = 0", "    lines.nets = nets\n    place = 0"),
        detail="hands nets on"),
    refuse("another Decimal", DECIMAL.replace("from decimal", "from bills.money"), Why.NO_PATTERN),
    refuse("a comment says so", PURE.replace("# in percent", "# must be read each time"), Why.LOAD_BEARING),
)  # fmt: skip
