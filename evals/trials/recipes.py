"""Asks every recipe about every function of a directory, as if each were hot: what it would change, and why not.

    python -m evals.trials.recipes DIRECTORY [--diffs FILE] [--apply]

Nothing is measured here: the findings are made up, of each kind that a recipe answers. What is proposed is for a person
to read (`--diffs`) and for the project's own tests to run on (`--apply` writes it into the directory, which should be a
copy; of several edits of one file the first is written). Test code is left out.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from burnish.finding import Evidence, Finding, Site
from burnish.job import Change
from burnish.protocols import Recipe
from burnish_tools.edits import unified
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import MemorySource, example_finding
from burnish_tools.recipes.source.repo import Module, is_test

PLACE = re.compile(r"[\w./-]+\.py(:\d+)?:?\s*")
NAMED = re.compile(r"`[^`]*`|\b[\w.]+:[\w.<>]+")


def read(root: Path) -> dict[str, str]:
    """The Python files below a directory that are UTF-8, without links."""
    texts = {}
    for path in sorted(root.rglob("*.py")):
        if path.is_symlink() or not path.resolve().is_relative_to(root):
            continue
        try:
            texts[path.relative_to(root).as_posix()] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            print(f"{path} is not UTF-8 and is left out", file=sys.stderr)
    return texts


def findings(path: str, text: str, kind: str) -> Iterator[Finding]:
    """One for each function of a file; none where it does not parse."""
    try:
        module = Module(path.removesuffix(".py").replace("/", "."), path, text, ast.parse(text))
    except (SyntaxError, ValueError):
        return
    for name, nodes in module.functions.items():
        for node in nodes:
            site = Site(function=f"{module.name}:{name}", file=path, line=node.lineno)
            evidence = Evidence(site=site, own_share=0.9, notes=("Made up for a trial.",))
            made = example_finding(kind, f"{module.name}:{name}", path, evidence, node.lineno)
            yield made.model_copy(update={"body": module.body_hash(node)})


def asked(recipe: Recipe, texts: dict[str, str], source: MemorySource) -> tuple[list[Change], Counter[str]]:
    """What a recipe changes, and how often it declines for which reason."""
    changes: list[Change] = []
    reasons: Counter[str] = Counter()
    for path, text in texts.items():
        for finding in findings(path, text, min(recipe.kinds)) if not is_test(path) else ():
            answer = recipe.apply(finding, source)
            if isinstance(answer, Change):
                changes.append(answer)
            else:
                reasons[f"{answer.why.value}: {reason(answer.detail)}"] += 1
    return changes, reasons


def reason(detail: str) -> str:
    """The sentence without what differs from one function to the next."""
    return NAMED.sub("…", PLACE.sub("", detail)).strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m evals.trials.recipes", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("directory", type=Path, help="what the service would have as its application root")
    parser.add_argument("--recipe", action="append", help="only this one; may be given again")
    parser.add_argument("--diffs", type=Path, help="write what is proposed to this file")
    parser.add_argument("--apply", action="store_true", help="write it into the directory")
    options = parser.parse_args(arguments)
    root = options.directory.resolve()
    texts = read(root)
    if not texts:
        parser.error(f"{root} has no Python files")
    source, proposed = MemorySource(texts), []
    for recipe in recipes():
        if options.recipe and recipe.name not in options.recipe:
            continue
        changes, reasons = asked(recipe, texts, source)
        proposed += changes
        print(f"{recipe.name}: {len(changes)} proposed, {sum(reasons.values())} declined")
        print("".join(f"    {n:6} {why}\n" for why, n in reasons.most_common(8)), end="", flush=True)
    if options.diffs:
        options.diffs.write_text(
            "".join(f"# {c.recipe}: {c.title}\n{unified(c)}\n" for c in proposed), encoding="utf-8"
        )
    if options.apply:
        write(root, proposed)
    return 0


def write(root: Path, changes: Sequence[Change]) -> None:
    """Writes the first edit of each file."""
    written: set[str] = set()
    for change in changes:
        paths = {edit.path for edit in change.edits}
        if not paths & written:
            written |= paths
            for edit in change.edits:
                (root / edit.path).write_bytes(edit.after.encode())


if __name__ == "__main__":
    sys.exit(main())
