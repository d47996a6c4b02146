"""Examples for `membership_set`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from django.db import models


class Item(models.Model):
    sku = models.CharField(max_length=20)
    stock = models.IntegerField()
    data = models.JSONField()
"""
HEAD = "from bin.models import Item\n\n\n"
FINDING: Finding = example_finding("cpu_hot", "bin.services:unique", "bin/services.py", Evidence(own_share=0.9), line=4)


def act(name: str, before: str, after: str) -> Act:
    """The common case: one file of services changes."""
    files = {"bin/models.py": MODELS, "bin/services.py": HEAD + before}
    return Act(name, files, FINDING, {"bin/services.py": HEAD + after})


def refuse(name: str, body: str, why: Why, detail: str = "") -> Refuse:
    """The common case: services that must stay."""
    return Refuse(name, {"bin/models.py": MODELS, "bin/services.py": HEAD + body}, FINDING, why, detail)


RETURNED = """def unique(text):
    seen = []  # in order
    for code in str(text).split(","):
        if code not in seen:
            seen.append(code)  # new
    return seen
"""
RETURNED_AFTER = """def unique(text):
    seen = []  # in order
    seen_set = set()
    for code in str(text).split(","):
        if code not in seen_set:
            seen.append(code)  # new
            seen_set.add(code)
    return seen
"""
ONLY = """def unique():
    seen = []
    for item in Item.objects.all():
        if item.sku not in seen:
            seen.append(item.sku)
            print(item)
"""
ONLY_AFTER = ONLY.replace("seen = []", "seen = set()").replace("append", "add")
COLUMN = """def unique(rows):
    known = list(Item.objects.filter(stock=0).values_list("sku", flat=True))
    return [row for row in rows if str(row["sku"]) in known]
"""
LITERAL = """def unique():
    wanted = [
        "a",  # first
        "b",
    ]
    return [item for item in Item.objects.all() if item.sku.lower() in wanted]
"""
LITERAL_AFTER = LITERAL.replace("= [\n", "= {\n").replace("    ]\n", "    }\n")
COUNTED = """def unique(limit):
    ids = [item.id for item in Item.objects.all()]
    found = 0
    for number in range(limit):
        found += number in ids
    return found / len(ids)
"""
COUNTED_AFTER = COUNTED.replace("    found = 0", "    ids_set = set(ids)\n    found = 0").replace(
    "in ids\n", "in ids_set\n"
)
COMPREHENSION = """def unique(limit):
    ids = [item.stock for item in Item.objects.all()]
    return [number for number in range(limit) if number in ids]
"""
COMPREHENSION_AFTER = COMPREHENSION.replace("[item.stock for item in Item.objects.all()]",
                                            "{item.stock for item in Item.objects.all()}")  # fmt: skip

MEMBERSHIP_SET: tuple[Act | Refuse, ...] = (
    act("needed as a list too", RETURNED, RETURNED_AFTER),
    act("only searched", ONLY, ONLY_AFTER),
    act("a column", COLUMN, COLUMN.replace("= list(", "= set(")),
    act("a literal", LITERAL, LITERAL_AFTER),
    act("built once, counted later", COUNTED, COUNTED_AFTER),
    act("a comprehension", COMPREHENSION, COMPREHENSION_AFTER),
    refuse(
        "elements of no known kind",
        RETURNED.replace('str(text).split(",")', "text"),
        Why.UNHASHABLE,
        "elements of seen",
    ),
    refuse("a JSON column", ONLY.replace("item.sku", "item.data"), Why.UNHASHABLE),
    refuse(
        "looked for without a known kind", COLUMN.replace('str(row["sku"])', 'row["sku"]'), Why.UNHASHABLE, 'row["sku"]'
    ),
    refuse("numbers and strings mixed", LITERAL.replace('"b"', "2"), Why.UNHASHABLE),
    refuse("given away", ONLY.replace("print(item)", "item.note(seen)"), Why.AMBIGUOUS, "services.py:9"),
    refuse("another name", RETURNED.replace("    for code", "    alias = seen\n    for code"), Why.AMBIGUOUS),
    refuse("shrinks", RETURNED.replace("# new", "\n        else:\n            seen.remove(code)"), Why.AMBIGUOUS),
    refuse(
        "assigned again", RETURNED.replace("    return", "    seen = []\n    return"), Why.AMBIGUOUS, "more than once"
    ),
    refuse(
        "changed by an inner function",
        RETURNED.replace("    return", "    def clear():\n        del seen[:]\n    return"),
        Why.AMBIGUOUS,
        "at a time of its own",
    ),
    refuse("no loop", "def unique():\n    known = ['a', 'b']\n    return 'a' in known\n", Why.NO_PATTERN),
    refuse("a set already", ONLY_AFTER, Why.NO_PATTERN, "no local list"),
    refuse("a parameter", "def unique(known):\n    return [n for n in range(9) if n in known]\n", Why.NO_PATTERN),
    refuse("a comment says so", RETURNED.replace("# in order", "# a list on purpose"), Why.LOAD_BEARING),
    refuse(
        "the element is computed",
        RETURNED.replace("seen.append(code)", "seen.append(str(code))"),
        Why.NO_PATTERN,
        "twice",
    ),
)
