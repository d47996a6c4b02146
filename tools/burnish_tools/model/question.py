"""What a model is asked: prompts filled with a finding and files, all of it marked as material."""

from __future__ import annotations

from functools import cache

from burnish import prompts
from burnish.prompts import Prompt, quoted
from burnish.protocols import Asked


@cache
def _prompt(name: str) -> Prompt:
    return prompts.load(name)


def rules() -> str:
    """The part that is the same for every question, byte for byte."""
    return _prompt("edit_rules").render()


def label() -> str:
    """Names and versions of the prompts, for the record."""
    return f"{_prompt('edit_rules').label} {_prompt('edit').label}"


def question(asked: Asked) -> str:
    """The part that differs: what was measured, the files, and what was wrong with an earlier answer."""
    finding = asked.finding.model_dump_json(indent=1, exclude_defaults=True, exclude={"body", "release"})
    files = "\n\n".join(quoted("file", text, path=path) for path, text in asked.files)
    feedback = ""
    if asked.feedback:
        feedback = "\n" + _prompt("edit_feedback").render(problems=quoted("problems", asked.feedback))
    return _prompt("edit").render(finding=quoted("finding", finding), files=files, feedback=feedback)


def repair(problems: str) -> str:
    """What is said after an answer that could not be applied."""
    return _prompt("edit_repair").render(problems=quoted("problems", problems))
