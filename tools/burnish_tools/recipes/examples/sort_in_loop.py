"""Examples for `sort_in_loop`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "rank.order:order", "rank/order.py", Evidence(own_share=0.9))


def act(name: str, before: str, after: str) -> Act:
    """One file changes."""
    return Act(name, {"rank/order.py": before}, FINDING, {"rank/order.py": after})


def refuse(name: str, body: str, why: Why = Why.AMBIGUOUS, detail: str = "") -> Refuse:
    """One file stays."""
    return Refuse(name, {"rank/order.py": body}, FINDING, why, detail)


WALKED = """def order(rows, text):
    codes = [str(word) for word in text]
    codes.append("end")
    for row in rows:
        for code in sorted(codes):  # by name
            row.check(code)
    return codes
"""
TWICE = """def order(rows, text):
    words = str(text).split()
    for row in rows:
        row.first = ",".join(sorted(words))
        row.last = ",".join(sorted(words, reverse=True))
        row.both = "-".join(sorted(words))
"""
TWICE_AFTER = """def order(rows, text):
    words = str(text).split()
    sorted_words = sorted(words)
    sorted_words_2 = sorted(words, reverse=True)
    for row in rows:
        row.first = ",".join(sorted_words)
        row.last = ",".join(sorted_words_2)
        row.both = "-".join(sorted_words)
"""
WALKED_AFTER = WALKED.replace("    for row", "    sorted_codes = sorted(codes)\n    for row").replace(
    "in sorted(codes):", "in sorted_codes:"
)
PARAMETER = """def order(rows, codes):
    for row in rows:
        for code in sorted(codes):
            row.check(code)
"""
LEAST = """def order(rows):
    sizes = []
    for row in rows:
        sizes.append(len(row))
        if not sizes:
            continue
        row.least, row.most = sorted(sizes)[0], sorted(sizes)[-1]
        row.more = sorted(sizes, reverse=True)[0] - sorted(sizes, reverse=True)[-1]
"""
LEAST_AFTER = (
    LEAST.replace("sorted(sizes)[0]", "min(sizes)")
    .replace("sorted(sizes)[-1]", "max(sizes)")
    .replace("sorted(sizes, reverse=True)[0]", "max(sizes)")
    .replace("sorted(sizes, reverse=True)[-1]", "min(sizes)")
)
KEYED = """def order(text):
    words = str(text).split()
    return sorted(words, key=len)[0] if words else None
"""
KEYED_AFTER = KEYED.replace("sorted(words, key=len)[0]", "min(words, key=len)")
COMPREHENSION = """def order(rows, text):
    words = str(text).split()
    return [",".join(sorted(words, reverse=True)[: row.size]) for row in rows]
"""
COMPREHENSION_AFTER = COMPREHENSION.replace(
    "    return", "    sorted_words = sorted(words, reverse=True)\n    return"
).replace("join(sorted(words, reverse=True)[", "join(sorted_words[")
NESTED = """def order(tables, text):
    found = []
    for table in tables:
        names = [str(name) for name in table.names]
        for row in table.rows:
            first, *rest = tuple(sorted(names))
            found.append((row, first))
    return found
"""
NESTED_AFTER = NESTED.replace(
    "        for row", "        sorted_names = sorted(names)\n        for row"
).replace("tuple(sorted(names))", "tuple(sorted_names)")  # fmt: skip
IN_PLACE = """def order(rows):
    limits = [int(row.limit) for row in rows]
    for row in rows:
        limits.sort(reverse=True)
        row.place = limits.index(row.limit) if row.limit in limits else len(limits)
"""
IN_PLACE_AFTER = """def order(rows):
    limits = [int(row.limit) for row in rows]
    limits.sort(reverse=True)
    for row in rows:
        row.place = len(limits) if row.limit in limits else 0
"""
IN_PLACE = IN_PLACE.replace("limits.index(row.limit) if row.limit in limits else len(limits)",
                            "len(limits) if row.limit in limits else 0")  # fmt: skip
WHILE = """def order(number):
    steps = [3, 1, 2]
    while number > sum(sorted(steps)):
        number -= len(steps)
    return number
"""
WHILE_AFTER = WHILE.replace("    while", "    sorted_steps = sorted(steps)\n    while").replace(
    "sum(sorted(steps))", "sum(sorted_steps)"
)

SORT_IN_LOOP: tuple[Act | Refuse, ...] = (
    act("walked along in a loop", WALKED, WALKED_AFTER),
    act("in two orders", TWICE, TWICE_AFTER),
    act("the least and the greatest", LEAST, LEAST_AFTER),
    act("the shortest", KEYED, KEYED_AFTER),
    act("a comprehension", COMPREHENSION, COMPREHENSION_AFTER),
    act("made in the outer loop", NESTED, NESTED_AFTER),
    act("in place", IN_PLACE, IN_PLACE_AFTER),
    act("the test of a while", WHILE, WHILE_AFTER),
    refuse("changes in the loop", WALKED.replace("(code)", '(code)\n        codes.append("x")'), Why.NOT_INVARIANT),
    refuse("elements of no known kind", WALKED.replace("str(word)", "word.key"), detail="elements of codes"),
    refuse("numbers that may be NaN", LEAST.replace("len(row)", "float(row)"), detail="elements of sizes"),
    refuse("kinds mixed", WALKED.replace('"end"', "1"), detail="elements of codes"),
    refuse("may be empty", KEYED.replace(" if words else None", ""), detail="may be empty"),
    refuse("shrinks after the test", LEAST.replace("row.least,", "sizes.clear(); row.least,"), detail="may be empty"),
    refuse("the longest: ties", KEYED.replace("[0]", "[-1]"), detail="of equal ones"),
    refuse("a key of its own", KEYED.replace("key=len", "key=text.index"), detail="sorted by"),
    refuse("a parameter", PARAMETER, detail="assigned once"),
    refuse("the sorted list is kept", WALKED.replace("in sorted(codes)", "in row.take(sorted(codes))"), detail="kept"),
    refuse("only in some rounds", WALKED.replace("        for code", "        if row.new:\n          for code").replace(
        "            row", "              row"), Why.NO_PATTERN, "some rounds"),
    refuse("given to others", WALKED.replace("row.check(code)", "row.check(codes)"), detail="elements of codes"),
    refuse("used after the loop", IN_PLACE + "    return limits\n", detail="outside the loop"),
    refuse("not first in the loop", IN_PLACE.replace("        limits.sort", "        print()\n        limits.sort"),
        Why.NO_PATTERN, "first in a loop"),
    refuse("a local called min", KEYED.replace("    words", "    min = 1\n    words"), detail="the name min"),
    refuse("no loop", "def order(text):\n    return sorted(str(text).split())\n", Why.NO_PATTERN),
    refuse("a comment says so", WALKED.replace("# by name", "# must be read anew"), Why.LOAD_BEARING),
)  # fmt: skip
