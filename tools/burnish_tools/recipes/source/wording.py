"""Words and quotes for edits and their descriptions."""

from __future__ import annotations

from burnish_tools.recipes.source.repo import Module


def quoted(module: Module, text: str) -> str:
    """A string literal with the quotes that the file uses most."""
    mark = "'" if module.text.count("'") > module.text.count('"') else '"'
    return f"{mark}{text}{mark}"


def plural(name: str) -> str:
    """`Category` → `categories`; good enough for a title."""
    word = name.lower()
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def short(function: str) -> str:
    """`catalogue.views:ProductList.get` → `ProductList.get`"""
    return function.rpartition(":")[2].replace(".<locals>", "")
