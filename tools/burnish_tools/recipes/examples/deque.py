"""Examples for `deque`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FINDING: Finding = example_finding("cpu_hot", "graph.walk:walk", "graph/walk.py", Evidence(own_share=0.9))
HEAD = '''"""Walks."""

import abc
import heapq


'''
HEAD_AFTER = HEAD.replace("import heapq\n", "import heapq\nfrom collections import deque\n")


def act(name: str, before: str, after: str, head: str = HEAD, head_after: str = HEAD_AFTER) -> Act:
    """One file changes."""
    return Act(name, {"graph/walk.py": head + before}, FINDING, {"graph/walk.py": head_after + after})


def refuse(name: str, body: str, why: Why = Why.AMBIGUOUS, detail: str = "") -> Refuse:
    """One file stays."""
    return Refuse(name, {"graph/walk.py": HEAD + body}, FINDING, why, detail)


BREADTH = """def walk(root):
    seen = set()
    queue = [root]  # breadth first
    while queue:
        node = queue.pop(0)  # the oldest
        if node not in seen:
            seen.add(node)
            queue.extend(node.children)
    return seen
"""
BREADTH_AFTER = BREADTH.replace("[root]", "deque([root])").replace("pop(0)", "popleft()")
FRONT = """def walk(rows):
    newest = []
    for row in rows:
        newest.insert(0, row.key)
    return [key for key in newest]
"""
FRONT_AFTER = FRONT.replace("= []", "= deque()").replace("insert(0, row.key)", "appendleft(row.key)")
WINDOW = """def walk(numbers, size):
    window = []
    total = 0
    for number in numbers:
        window.append(number)
        if len(window) > 0 and window[0] < number - size:
            total += window.pop(0)
    return total, len(window), tuple(window)
"""
WINDOW_AFTER = WINDOW.replace("= []", "= deque()").replace("pop(0)", "popleft()")
COPY = """def walk(tasks):
    waiting: list[str] = list(tasks)
    while True:
        if not waiting:
            break
        task = waiting.pop(0)
        if task.again:
            waiting.append(task)
"""
COPY_AFTER = COPY.replace("list[str] = list(", "deque[str] = deque(").replace("pop(0)", "popleft()")
LAID_OUT = """def walk(left, right):
    both = [
        left,  # first
        right,
    ]
    while both:
        both.pop(0).visit()
"""
LAID_OUT_AFTER = LAID_OUT.replace("= [", "= deque([").replace("    ]\n", "    ])\n").replace("pop(0)", "popleft()")
NESTED = """def walk(rows):
    ready = [row for row in rows if row.ready]
    for row in rows:
        if ready:
            first = ready.pop(0)
            row.take(first)
        if row in ready:
            return None
    return sorted(ready)
"""
NESTED_AFTER = NESTED.replace(
    "[row for row in rows if row.ready]", "deque([row for row in rows if row.ready])"
).replace("pop(0)", "popleft()")
IMPORTED = HEAD.replace("import abc\n", "import abc\nimport collections\n")

DEQUE: tuple[Act | Refuse, ...] = (
    act("breadth first", BREADTH, BREADTH_AFTER),
    act("put at the front", FRONT, FRONT_AFTER),
    act("a window", WINDOW, WINDOW_AFTER),
    act("a copy, annotated, left when empty", COPY, COPY_AFTER),
    act("a literal over several lines", LAID_OUT, LAID_OUT_AFTER),
    act("a comprehension", NESTED, NESTED_AFTER),
    act("collections is imported", BREADTH, BREADTH_AFTER.replace("deque(", "collections.deque("), IMPORTED, IMPORTED),
    refuse("returned", BREADTH.replace("return seen", "return queue"), detail="hands queue on"),
    refuse("handed on", BREADTH.replace("seen.add(node)", "node.note(queue)"), detail="walk.py:13"),
    refuse("a slice", WINDOW.replace("len(window), ", "window[1:3], "), detail="in the middle"),
    refuse("an index in the middle", WINDOW.replace("window[0] <", "window[size] <"), detail="in the middle"),
    refuse("may be empty", COPY.replace("        if not waiting:\n            break\n", ""), detail="may be empty"),
    refuse(
        "taken twice after one test",
        BREADTH.replace("        if node", "        other = queue.pop(0)\n        if node"),
        detail="walk.py:12",
    ),
    refuse(
        "taken in a loop after one test",
        COPY.replace("        if not waiting:\n            break\n", "").replace(
            "    while True", "    if not waiting:\n        return\n    while True"
        ),
        detail="may be empty",
    ),
    refuse(
        "walked along while it changes",
        FRONT.replace("for row in rows", "for row in newest"),
        detail="while it changes",
    ),
    refuse("sorted in place", FRONT.replace("    return", "    newest.sort()\n    return"), detail="hands newest on"),
    refuse("compared", FRONT.replace("return [key for key in newest]", "return newest == rows"), detail="needs a list"),
    refuse("a parameter", "def walk(queue):\n    while queue:\n        queue.pop(0)\n", detail="assigned once"),
    refuse(
        "an inner function",
        BREADTH.replace("    return seen", "    def more():\n        return len(queue)\n    return seen, more"),
        detail="a time of its own",
    ),
    refuse("no list of its own", COPY.replace("list[str] = list(tasks)", "list[str] = tasks.rows"), detail="its own"),
    refuse(
        "two names",
        FRONT.replace("newest = []", "newest = other = []"),
        detail="not a local that is assigned once",
    ),
    refuse("from the end", BREADTH.replace("pop(0)", "pop()"), Why.NO_PATTERN),
    refuse("no loop", "def walk(rows):\n    queue = list(rows)\n    return queue.pop(0)\n", Why.NO_PATTERN),
    refuse("a comment says so", BREADTH.replace("# breadth first", "# a list on purpose"), Why.LOAD_BEARING),
)
