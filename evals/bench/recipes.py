"""How long all recipes take to look at every function of a file of 5,000 lines, against libcst's parsing of it.

    python -m evals.bench.recipes [--lines 5000] [--file FILE]… [--rounds 9]

The file is generated: functions, methods and coroutines of 5 to 40 lines as services have them, one in forty with
something that a recipe changes; `--file` takes real ones instead. Each recipe gets a made-up finding of its kind for
each function, as production would give it, and the file as a fresh source, so that parsing counts once. Where a recipe
acts, its edit is made and counts too. Times are CPU seconds of this process, in turns; the ratios are medians with
bootstrap intervals. The bar is 1.5 for all recipes together.
"""

from __future__ import annotations

import argparse
import ast
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import libcst as cst

from burnish.finding import Evidence, Finding, Site
from burnish.identity import body_hash
from burnish.job import Change
from burnish.protocols import Recipe
from burnish.stats import bootstrap
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import MemorySource, example_finding

PATH = "app/services.py"
MODELS = """from django.db import models


class Owner(models.Model):
    name = models.CharField(max_length=20)


class Item(models.Model):
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="items")
    code = models.CharField(max_length=20)
"""
HEAD = '''"""Services."""

import copy
import logging
import re
from decimal import Decimal

import httpx

from app.models import Item, Owner

logger = logging.getLogger(__name__)
LIMITS = (("daily", 100), ("weekly", 500))
'''
STATEMENTS = (
    'name{n} = str(row.name).strip() or "none"',
    "total{n} = sum(line.net for line in row.lines if line.net > {n})",
    'logger.info("row %s of %s", row.key, {n})',
    "parts{n} = [part for part in row.parts if part.kind != {n}]",
    "row.data[{n}] = {{'key': row.key, 'size': len(row.parts), 'note': f'{{row.key}}-{n}'}}",
    "found{n} = self_cache.get(row.key) if row.key in self_cache else lookup(row, {n})",
    "if row.size > {n} and not row.closed:\n    row.mark({n}, reason='size')\nelse:\n    row.release()",
    "for part in row.parts:\n    if part.size >= {n}:\n        row.add(part, weight=part.size * 2 + {n})",
    "try:\n    row.check({n})\nexcept (KeyError, ValueError) as error:\n    logger.warning('%s: %s', row.key, error)",
    "while row.size > {n}:\n    row = row.parent\n    total = row.size + {n}",
    "Item.objects.filter(owner=row.owner, code=str({n})).count()",
    "text = re.sub('[^a-z]+', '-', row.text)",
    "text = ''\nfor part in row.parts:\n    text += part.text",
    "ordered = sorted(row.parts, key=lambda part: part.size)",
)
PATTERNS = (
    "known = []\nfor word in str(row.text).split():\n    if word not in known:\n        known.append(word)",
    "queue = [row]\nwhile queue:\n    node = queue.pop(0)\n    queue.extend(node.parts)",
    "out = ''\nfor part in row.parts:\n    out += f'{part.name};'\nrow.text = out",
    "limits = copy.deepcopy(LIMITS)\nrow.limits = limits",
    "for part in row.parts:\n    part.net = part.gross / Decimal('1.19')",
    "for part in row.parts:\n    part.slug = re.sub('[^a-z]+', '-', part.name)",
)
ONE_IN = 40


def generated(lines: int, seed: int = 1) -> str:
    """A module of about so many lines."""
    dice = random.Random(seed)
    out, number = HEAD.splitlines(), 0
    while len(out) < lines:
        number += 1
        method = number >= 9 and number % 9 < 4
        if number % 9 == 0:
            out += ["", "", f"class Service{number}:", f'    """Serves {number}."""']
        margin = "    " if method else ""
        out += ["", *([""] if not margin else [])]
        out += [margin + line for line in _function(number, dice, bool(margin))]
    return "\n".join(out) + "\n"


def _function(number: int, dice: random.Random, method: bool) -> Iterator[str]:
    kind = "async def" if number % 7 == 0 else "def"
    first = "self, " if method else ""
    yield f"{kind} step_{number}({first}row, rows, self_cache=None):"
    yield f'    """Step {number} of the service."""'
    for place in range(dice.randrange(2, 10)):
        for line in dice.choice(STATEMENTS).format(n=place).split("\n"):
            yield f"    {line}"
    if number % ONE_IN == 0:
        for line in PATTERNS[number // ONE_IN % len(PATTERNS)].split("\n"):
            yield f"    {line}"
    yield "    return rows"


def findings(text: str, path: str, kind: str) -> Iterator[Finding]:
    """One for each function of a file."""
    module = path.removesuffix(".py").replace("/", ".")
    for name, node in functions(ast.parse(text).body):
        site = Site(function=f"{module}:{name}", file=path, line=node.lineno + 1)
        statement = 'SELECT "app_owner"."id" FROM "app_owner" WHERE "app_owner"."id" = ? LIMIT ?'
        evidence = Evidence(statement=statement, site=site, table="app_owner", columns=("name",), own_share=0.9)
        made = example_finding(kind, f"{module}:{name}", path, evidence, node.lineno)
        yield made.model_copy(update={"body": body_hash(node)})


def functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Qualified name and node of each function outside other functions."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{prefix}{node.name}.")


def asked(recipe: Recipe, found: list[Finding], source: MemorySource) -> int:
    """How often a recipe acts."""
    return sum(isinstance(recipe.apply(finding, source), Change) for finding in found)


def measured(text: str, path: str, rounds: int) -> Mapping[str, list[float]]:
    """CPU seconds by what was done, one value a round after one that does not count."""
    files = {"app/models.py": MODELS, path: text}
    known = recipes()
    found = {recipe.name: list(findings(text, path, min(recipe.kinds))) for recipe in known}

    def every() -> None:
        source = MemorySource(files)
        for recipe in known:
            asked(recipe, found[recipe.name], source)

    work: dict[str, Callable[[], object]] = {
        "libcst: parse": lambda: cst.parse_module(text),
        "ast: parse": lambda: ast.parse(text),
        "all recipes": every,
    }
    for recipe in known:
        work[recipe.name] = lambda recipe=recipe: asked(recipe, found[recipe.name], MemorySource(files))  # type: ignore[misc]
    dice, times = random.Random(1), {name: [] for name in work}  # type: dict[str, list[float]]
    for number in range(rounds + 1):
        for name in dice.sample(sorted(work), len(work)):
            began = time.process_time()
            work[name]()
            if number:
                times[name].append(time.process_time() - began)
    return times


def table(text: str, path: str, times: Mapping[str, list[float]]) -> str:
    """As Markdown; a ratio is each round's to the same round's parse by libcst."""
    files = {"app/models.py": MODELS, path: text}
    acts = {recipe.name: asked(recipe, list(findings(text, path, min(recipe.kinds))), MemorySource(files))
            for recipe in recipes()}  # fmt: skip
    n = len(list(functions(ast.parse(text).body)))
    rows = [f"{path}: {text.count(chr(10)):,} lines, {n} functions", ""]
    rows += ["| | CPU ms | ÷ libcst's parse (95 % interval) | acts on |", "|---|---|---|---|"]
    base = times["libcst: parse"]
    for name, values in times.items():
        ratio = bootstrap([value / one for value, one in zip(values, base, strict=True)], median, random.Random(name))
        acted = str(acts[name]) if name in acts else ""
        shown = f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        rows.append(f"| {name} | {median(values) * 1000:.0f} | {shown} | {acted} |")
    return "\n".join(rows)


def main() -> None:
    """Measures and prints a table for each file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=5_000)
    options.add_argument("--file", type=Path, action="append", help="a real module instead; may be given again")
    options.add_argument("--rounds", type=int, default=9)
    args = options.parse_args()
    texts = {f"app/{file.name}": file.read_text(encoding="utf-8") for file in args.file or ()}
    for path, text in (texts or {PATH: generated(args.lines)}).items():
        print(table(text, path, measured(text, path, args.rounds)), flush=True)


if __name__ == "__main__":
    main()
