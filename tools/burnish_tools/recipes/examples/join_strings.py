"""Examples for `join_strings`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "text.page:page", "text/page.py", Evidence(own_share=0.9))


def act(name: str, before: str, after: str) -> Act:
    """One file changes."""
    return Act(name, {"text/page.py": before}, FINDING, {"text/page.py": after})


def refuse(name: str, body: str, why: Why, detail: str = "") -> Refuse:
    """One file stays."""
    return Refuse(name, {"text/page.py": body}, FINDING, why, detail)


PLAIN = """def page(rows):
    out = ""  # the page
    for row in rows:
        out += f"{row.name}: {row.price}\\n"  # a line
    return out
"""
PLAIN_AFTER = """def page(rows):
    out_parts = []  # the page
    for row in rows:
        out_parts.append(f"{row.name}: {row.price}\\n")  # a line
    out = "".join(out_parts)
    return out
"""
SEVERAL = """def page(rows):
    text = "<ul>"
    for row in rows:
        text += "<li>"
        if row.bold:
            text += "<b>" + str(row.name).upper() + "</b>"
        else:
            text += str(row.name)

    text = text if rows else None
    return text
"""
BEGINS = """def page(rows):
    text = "<ul>"
    for row in rows:
        text += "<li>"
        if row.bold:
            text += "<b>" + str(row.name).upper() + "</b>"
        else:
            text += str(row.name)

    print(len(text))
    return text + "</ul>"
"""
BEGINS_AFTER = """def page(rows):
    text_parts = ["<ul>"]
    for row in rows:
        text_parts.append("<li>")
        if row.bold:
            text_parts.append("<b>" + str(row.name).upper() + "</b>")
        else:
            text_parts.append(str(row.name))
    text = "".join(text_parts)

    print(len(text))
    return text + "</ul>"
"""
WHILE = """def page(number):
    digits = ''
    while number:
        digits += str(number % 2)
        number //= 2
    return digits[::-1]
"""
WHILE_AFTER = """def page(number):
    digits_parts = []
    while number:
        digits_parts.append(str(number % 2))
        number //= 2
    digits = ''.join(digits_parts)
    return digits[::-1]
"""
NESTED = """def page(table):
    sheets = []
    for rows in table:
        lines = ""
        for row in rows:
            for cell in row:
                lines += str(
                    cell
                )
            lines += "\\n"
        sheets.append(lines)
    return sheets
"""
NESTED_AFTER = """def page(table):
    sheets = []
    for rows in table:
        lines_parts = []
        for row in rows:
            for cell in row:
                lines_parts.append(str(
                    cell
                ))
            lines_parts.append("\\n")
        lines = "".join(lines_parts)
        sheets.append(lines)
    return sheets
"""
TWO = """def page(rows):
    left = ""
    right = ""
    for row in rows:
        left += str(row)
        right += repr(row)
    return left, right
"""
TWO_AFTER = """def page(rows):
    left_parts = []
    right_parts = []
    for row in rows:
        left_parts.append(str(row))
        right_parts.append(repr(row))
    left = "".join(left_parts)
    right = "".join(right_parts)
    return left, right
"""
SPLIT = """def page(text):
    out_parts = str(text)
    out = ""
    for line in out_parts.splitlines():
        if line:
            out += line
    return out
"""
SPLIT_AFTER = """def page(text):
    out_parts = str(text)
    out_parts_2 = []
    for line in out_parts.splitlines():
        if line:
            out_parts_2.append(line)
    out = "".join(out_parts_2)
    return out
"""

JOIN_STRINGS: tuple[Act | Refuse, ...] = (
    act("an f-string", PLAIN, PLAIN_AFTER),
    act("begins with a text", BEGINS, BEGINS_AFTER),
    act("a while", WHILE, WHILE_AFTER),
    act("nested loops, over several lines", NESTED, NESTED_AFTER),
    act("two at once", TWO, TWO_AFTER),
    act("lines of a text", SPLIT, SPLIT_AFTER),
    refuse("a part of no known kind", PLAIN.replace('f"{row.name}: {row.price}\\n"', "row.name"), Why.AMBIGUOUS, "row"),
    refuse("read in the loop", PLAIN.replace("# a line", "\n        print(len(out))"), Why.NO_PATTERN, "page.py:5"),
    refuse("returned from the loop", PLAIN.replace("# a line", "\n        if row.last: return out"), Why.NO_PATTERN),
    refuse("read by the loop's test", WHILE.replace("while number", "while len(digits) < 9"), Why.NO_PATTERN),
    refuse(
        "read when the loop has failed",
        "def page(rows):\n    try:\n        out = ''\n        for row in rows:\n            out += str(row)\n"
        "    finally:\n        print(out)\n",
        Why.AMBIGUOUS,
        "when the loop has failed",
    ),
    refuse("bound again", SEVERAL, Why.AMBIGUOUS, "made once"),
    refuse("cut in the loop", PLAIN.replace("# a line", "\n        out = out[:99]"), Why.AMBIGUOUS),
    refuse("no string", "def page(rows):\n    n = 0\n    for row in rows:\n        n += 1\n", Why.NO_PATTERN),
    refuse("a parameter", 'def page(out, rows):\n    for r in rows:\n        out += "a"\n', Why.NO_PATTERN),
    refuse("no loop", 'def page(a):\n    out = ""\n    out += str(a)\n    return out\n', Why.NO_PATTERN),
    refuse(
        "an inner function",
        PLAIN.replace("    return out", "    def now():\n        return out\n    return now"),
        Why.AMBIGUOUS,
        "a time of its own",
    ),
    refuse("a part that may be a parameter", PLAIN.replace("(rows)", "(rows, sep)").replace(
        "    for", '    if not sep:\n        sep = ","\n    for').replace('f"{row.name}: {row.price}\\n"', "sep"),
        Why.AMBIGUOUS, "`sep`"),
    refuse("a comment says so", PLAIN.replace("# a line", "# do not join"), Why.LOAD_BEARING),
)  # fmt: skip
