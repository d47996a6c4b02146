"""Examples for `hoist_regex`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "text.clean:slugs", "text/clean.py", Evidence(own_share=0.9))


def act(name: str, before: str, after: str) -> Act:
    """One file changes."""
    return Act(name, {"text/clean.py": before}, FINDING, {"text/clean.py": after})


def refuse(name: str, body: str, why: Why, detail: str = "") -> Refuse:
    """One file stays."""
    return Refuse(name, {"text/clean.py": body}, FINDING, why, detail)


PLAIN = '''"""Cleaning."""

import re
import sys


def slugs(names):
    out = []
    for name in names:
        out.append(re.sub(r"[^a-z]+", "-", name, flags=re.I))  # dashes
    return out
'''
PLAIN_AFTER = PLAIN.replace("import sys\n", 'import sys\n\n_SLUGS_RE = re.compile(r"[^a-z]+", re.I)\n').replace(
    're.sub(r"[^a-z]+", "-", name, flags=re.I)', '_SLUGS_RE.sub("-", name)'
)
COMPILED = """import re as regex

SIGN = r"[+-]"
NUMBER = SIGN + r"\\d+"  # whole


def slugs(names):
    while names:
        number = regex.compile(NUMBER)
        print(number.match(names.pop()))
"""
COMPILED_AFTER = COMPILED.replace("# whole\n", "# whole\n_NUMBER_RE = regex.compile(NUMBER)\n").replace(
    "number = regex.compile(NUMBER)", "number = _NUMBER_RE"
)
PER_ROW = """from re import compile, split


def slugs(name):
    return split("[ ,]", name, 1)


def every(names):
    return [slugs(name) for name in names]
"""
PER_ROW_AFTER = PER_ROW.replace("split\n", 'split\n\n_SLUGS_RE = compile("[ ,]")\n', 1).replace(
    'split("[ ,]", name, 1)', "_SLUGS_RE.split(name, 1)"
)
LOCAL = """import re


def slugs(word, texts):
    # in each text
    for text in texts:
        for line in text:
            if re.search(rf"\\b{re.escape(word)}\\b", line):
                print(line)
"""
LOCAL_AFTER = LOCAL.replace(
    "    # in each", '    slugs_re = re.compile(rf"\\b{re.escape(word)}\\b")\n    # in each'
).replace('re.search(rf"\\b{re.escape(word)}\\b", line)', "slugs_re.search(line)")
THERE = """import re

WORD = re.compile("[a-z]+")


def slugs(names):
    return [(re.findall("[a-z]+", name), re.match("[A-Z]", name)) for name in names]
"""
THERE_AFTER = THERE.replace("import re\n", 'import re\n\n_SLUGS_RE = re.compile("[A-Z]")\n').replace(
    're.findall("[a-z]+", name), re.match("[A-Z]", name)', "WORD.findall(name), _SLUGS_RE.match(name)"
)

LAID_OUT = """import re

KINDS = ("a", "b")


def slugs(names):
    for name in names:
        # long
        pattern = re.compile(
            rf"(?:{'|'.join(KINDS)})-x",
            re.ASCII,  # fast
        )
        print(pattern.match(name))
"""
LAID_OUT_AFTER = """import re

KINDS = ("a", "b")
_PATTERN_RE = re.compile(
    rf"(?:{'|'.join(KINDS)})-x",
    re.ASCII,  # fast
)


def slugs(names):
    for name in names:
        # long
        pattern = _PATTERN_RE
        print(pattern.match(name))
"""

TWO_LINES = """import re


def slugs(names):
    for name in names:
        print(
            re.match(
                r"(?P<first>[a-z]+)"
                r"-(?P<last>[a-z]+)",
                name,
            )
        )
"""
TWO_LINES_AFTER = """import re

_SLUGS_RE = re.compile(
    r"(?P<first>[a-z]+)"
    r"-(?P<last>[a-z]+)",
)


def slugs(names):
    for name in names:
        print(
            _SLUGS_RE.match(
                name,
            )
        )
"""

HOIST_REGEX: tuple[Act | Refuse, ...] = (
    act("a literal with flags", PLAIN, PLAIN_AFTER),
    act("made of module constants", COMPILED, COMPILED_AFTER),
    act("a function that runs per row", PER_ROW, PER_ROW_AFTER),
    act("before the outermost loop", LOCAL, LOCAL_AFTER),
    act("a constant that is there", THERE, THERE_AFTER),
    act("its own layout", LAID_OUT, LAID_OUT_AFTER),
    act("a pattern over two lines", TWO_LINES, TWO_LINES_AFTER),
    refuse(
        "imported in the function",
        PLAIN.replace("import re\n", "").replace("    out =", "    import re\n    out ="),
        Why.NO_PATTERN,
        "does not import re",
    ),
    refuse("changes in the loop", PLAIN.replace('r"[^a-z]+"', "name[:2]"), Why.NOT_INVARIANT, "clean.py:10"),
    refuse(
        "escaped, but changes in the loop", LOCAL.replace("escape(word)", "escape(line)"), Why.NOT_INVARIANT, "changes"
    ),
    refuse("could be invalid", LOCAL.replace("re.escape(word)", "word"), Why.NOT_INVARIANT, "re.escape"),
    refuse("a parameter", PLAIN.replace('r"[^a-z]+"', "names.pattern"), Why.NOT_INVARIANT),
    refuse(
        "a constant that is assigned twice", COMPILED.replace("\n\ndef", '\nSIGN = "x"\n\n\ndef', 1), Why.NOT_INVARIANT
    ),
    refuse("invalid", PLAIN.replace("[^a-z]+", "[^a-z+"), Why.NO_PATTERN, "invalid"),
    refuse("flags that are not constant", PLAIN.replace("re.I", "names.flags"), Why.NOT_INVARIANT),
    refuse(
        "no loop anywhere",
        'import re\n\n\ndef slugs(name):\n    return re.sub("a", "b", name)\n',
        Why.NO_PATTERN,
        "no regular",
    ),
    refuse("done", PLAIN_AFTER, Why.NO_PATTERN),
    refuse("another module called re", PLAIN.replace("import re", "import regex as re"), Why.NO_PATTERN),
    refuse("a comment says so", PLAIN.replace("# dashes", "# on purpose"), Why.LOAD_BEARING),
)
