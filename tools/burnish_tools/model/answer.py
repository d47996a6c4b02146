"""A model's answer: its schema, and what becomes of it. What is wrong with one is written for the model to mend."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import ValidationError

from burnish.finding import Finding, Model
from burnish.job import Change, Declined, FileEdit
from burnish.protocols import Asked
from burnish.why import Why
from burnish_tools.model.touched import touched

_CONTEXT = 2
_SIMILAR = 0.5
"""Least likeness of a line (difflib's ratio) to be shown as the one that was meant."""


class Replacement(Model):
    """`find` stands exactly once in the file and gives way to `replace`."""

    path: str
    find: str
    replace: str


class Answer(Model):
    """What the model answers; the names are in the prompt `edit_rules`."""

    decision: Literal["edit", "decline"]
    reason: str
    title: str
    summary: str
    safety: str
    edits: list[Replacement]


class Unusable(NamedTuple):
    """What is wrong with an answer, one sentence or excerpt per problem."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.problems)


class _Span(NamedTuple):
    start: int
    end: int
    replace: str


def read(text: str, asked: Asked) -> Change | Declined | Unusable:
    """Turns the text of an answer into an edit of the files that were shown, or says what is wrong with it."""
    try:
        answer = Answer.model_validate_json(text)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors(include_url=False)]
        return Unusable(tuple(f"The answer does not have the form that was asked for. {w}" for w in wrong[:5]))
    return understood(answer, asked)


def understood(answer: Answer, asked: Asked) -> Change | Declined | Unusable:
    """The same for an answer of the right form."""
    if answer.decision == "decline":
        return Declined(why=Why.MODEL_DECLINED, detail=answer.reason.strip())
    files = dict(asked.files)
    problems = [*_form(answer), *(p for edit in answer.edits for p in _misplaced(edit, files))]
    if problems:
        return Unusable(tuple(problems))
    edits = []
    for path in sorted({edit.path for edit in answer.edits}):
        spans = sorted(_span(edit, files[path]) for edit in answer.edits if edit.path == path)
        problems += [f"Two edits of {path} overlap." for a, b in pairwise(spans) if b.start < a.end]
        edits.append(FileEdit(path=path, before=files[path], after=_spliced(files[path], spans)))
    problems += [problem for edit in edits for problem in _result(edit)]
    return Unusable(tuple(problems)) if problems else _change(answer, edits, asked.finding)


def _change(answer: Answer, edits: Sequence[FileEdit], finding: Finding) -> Change:
    return Change(
        recipe="model",
        title=answer.title.strip(),
        summary=answer.summary.strip(),
        safety=answer.safety.strip(),
        edits=tuple(edits),
        functions=touched(edits, finding),
    )


def _form(answer: Answer) -> list[str]:
    title = answer.title.strip()
    wrong = [] if answer.edits else ['"edits" is empty; give at least one, or decline.']
    if not title or len(title) > 72 or "\n" in title:
        wrong.append(f'"title" has to be one line of 1 to 72 characters; it has {len(title)}.')
    return wrong + [f'"{key}" is empty.' for key in ("summary", "safety") if not getattr(answer, key).strip()]


def _misplaced(edit: Replacement, files: Mapping[str, str]) -> list[str]:
    if edit.path not in files:
        return [f"{edit.path} is not one of the files that you may change: {', '.join(sorted(files))}."]
    text, find = files[edit.path], _as_in(files[edit.path], edit.find)
    times = text.count(find) if find else 0
    if times == 1:
        return []
    if not find:
        return [f'"find" of an edit of {edit.path} is empty.']
    if times:
        starts = [at for at in range(len(text)) if text.startswith(find, at)]
        lines = ", ".join(str(text.count("\n", 0, at) + 1) for at in starts[:10])
        return [
            f'"find" occurs {times} times in {edit.path} (lines {lines}); take in more lines around it:\n{edit.find}'
        ]
    return [f'"find" is not in {edit.path}:\n{edit.find}\n{_nearest(edit.find, text)}']


def _nearest(find: str, text: str) -> str:
    """The lines of the file that look most like what was sought, with their numbers."""
    wanted = [line.strip() for line in find.splitlines() if line.strip()]
    lines = text.splitlines()
    if not wanted:
        return "It is blank; copy whole lines from the file."
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted[0])
    best, at = 0.0, 0
    for number, line in enumerate(lines):
        matcher.set_seq1(line.strip())
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, at = matcher.ratio(), number
    if best < _SIMILAR:
        return "No line of the file looks like its first line."
    first, last = max(0, at - _CONTEXT), min(len(lines), at + len(find.splitlines()) + _CONTEXT)
    shown = "\n".join(f"{number + 1:>5}| {lines[number]}" for number in range(first, last))
    return f"The nearest lines of the file are (without the numbers and bars):\n{shown}"


def _as_in(text: str, piece: str) -> str:
    """A piece with the line ends of the file; a model writes `\\n`."""
    plain = piece.replace("\r\n", "\n")
    crlf = text.count("\r\n")
    return plain.replace("\n", "\r\n") if crlf and crlf == text.count("\n") else plain


def _span(edit: Replacement, text: str) -> _Span:
    find = _as_in(text, edit.find)
    return _Span(text.index(find), text.index(find) + len(find), _as_in(text, edit.replace))


def _spliced(text: str, spans: Sequence[_Span]) -> str:
    for span in reversed(spans):
        text = text[: span.start] + span.replace + text[span.end :]
    return text


def _result(edit: FileEdit) -> list[str]:
    if edit.after == edit.before:
        return [f"The edits leave {edit.path} as it was."]
    if not edit.path.endswith(".py"):
        return []
    try:
        ast.parse(edit.after)
    except (SyntaxError, ValueError) as error:
        return [f"{edit.path} is no valid Python after the edits: {error}."]
    return []
