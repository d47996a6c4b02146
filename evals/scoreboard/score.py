"""Findings against the answers of a service. Pure: a ranking and the answers in, a score out.

A *planted* problem is found when a candidate or told finding has its kind and its function and, where the answer names
the function that issues the statement (`site`), a call site in that function's lines. A missing index belongs to no
function: there the site alone decides. A *decoy* is hit when one of the
first ten candidates has its kind and its function. Whatever is neither is *other*: it may be a real problem that nobody
planted, so that precision, which counts it as wrong, is a lower bound.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from burnish.finding import Finding, Passed

FIRST = 10
"""How many candidates a team looks at in the first weeks."""
INDEX = "missing_index"
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One planted problem or decoy."""

    function: str
    kind: str
    site: str = ""
    """`module:Qualified.name` that issues the statement; empty where no statement matters."""
    lines: range = range(0)
    """Of that function."""

    def matches(self, finding: Finding) -> bool:
        """Kind and function; of an index the function that issues the statement."""
        function = self.site if self.site and self.kind == INDEX else self.function
        return (finding.kind, finding.function) == (self.kind, function)

    def at_the_site(self, finding: Finding) -> bool:
        """Whether the statement's place is the one that the answer names."""
        if not self.site:
            return True
        seen = finding.evidence.site
        return seen is not None and seen.function == self.site and seen.line in self.lines


@dataclass(frozen=True)
class Answers:
    """What is planted in a service."""

    planted: tuple[Answer, ...]
    decoys: tuple[Answer, ...]

    @classmethod
    def read(cls, path: Path, service: Path) -> Answers:
        """From ANSWERS.toml; `service` is the folder with the code."""
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(*(tuple(_answer(row, service) for row in data[key]) for key in ("planted", "decoy")))


def _answer(row: Mapping[str, Any], service: Path) -> Answer:
    site = str(row.get("site", ""))
    return Answer(row["function"], row["kind"], site, _lines(site, service) if site else range(0))


def _lines(site: str, service: Path) -> range:
    """The lines of a function. Raises ValueError where the service has no such function."""
    module, _, qualified = site.partition(":")
    node: ast.AST = ast.parse((service / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    for name in qualified.split("."):
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found = next((n for n in ast.iter_child_nodes(node) if isinstance(n, named) and n.name == name), None)
        if found is None:
            raise ValueError(f"{site}: the service has no such function")
        node = found
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


@dataclass(frozen=True)
class Missed:
    """A planted problem that was not found, and what was said of it instead."""

    function: str
    kind: str
    instead: str


@dataclass(frozen=True)
class Score:
    """Of one detector, or of all together."""

    detector: str
    planted: int
    found: int
    reported: int
    """Among the first ten of its candidates."""
    right: int
    """Of those, planted ones."""
    decoys: tuple[str, ...]
    """Functions of decoys among the first ten of all candidates."""
    missed: tuple[Missed, ...]

    @property
    def recall(self) -> float | None:
        """Share of the planted problems that were found; None where none is planted."""
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Share of the first ten candidates that were planted; None where nothing was reported."""
        return self.right / self.reported if self.reported else None

    @property
    def failed(self) -> bool:
        """A planted problem was missed or a decoy is among the first ten."""
        return bool(self.missed or self.decoys)

    def row(self) -> Row:
        """For `--json`."""
        return {**asdict(self), "recall": self.recall, "precision_at_10": self.precision}


def scores(
    answers: Answers, candidates: Sequence[Finding], told: Sequence[Finding] = (), passed: Sequence[Passed] = ()
) -> list[Score]:
    """One for each kind of finding that is planted, hidden as a decoy or reported, and one for all of them."""
    kinds = {a.kind for a in (*answers.planted, *answers.decoys)} | {f.kind for f in (*candidates, *told)}
    hits = _hits(answers.decoys, candidates[:FIRST])
    by_kind = [_score(kind, {kind}, answers, candidates, told, passed, hits) for kind in sorted(kinds)]
    return [*by_kind, _score("all", kinds, answers, candidates, told, passed, hits)]


def _score(
    name: str,
    kinds: set[str],
    answers: Answers,
    candidates: Sequence[Finding],
    told: Sequence[Finding],
    passed: Sequence[Passed],
    hits: Sequence[Answer],
) -> Score:
    planted = [a for a in answers.planted if a.kind in kinds]
    first = [f for f in candidates if f.kind in kinds][:FIRST]
    missed = [a for a in planted if not any(a.matches(f) and a.at_the_site(f) for f in (*candidates, *told))]
    return Score(
        detector=name,
        planted=len(planted),
        found=len(planted) - len(missed),
        reported=len(first),
        right=sum(any(a.matches(f) for a in planted) for f in first),
        decoys=tuple(a.function for a in hits if a.kind in kinds),
        missed=tuple(Missed(a.function, a.kind, _instead(a, (*candidates, *told), passed)) for a in missed),
    )


def _hits(decoys: Iterable[Answer], first: Sequence[Finding]) -> list[Answer]:
    return [a for a in decoys if any(a.matches(f) for f in first)]


def _instead(answer: Answer, findings: Iterable[Finding], passed: Iterable[Passed]) -> str:
    """What was said of the function or of the place, for the person who has to find out why."""
    said = [*_elsewhere(answer, findings), *(f"{p.by}: {p.why.value}, {p.detail}" for p in passed if _near(answer, p))]
    return "; ".join(said[:3]) or "nothing was said of it"


def _near(answer: Answer, passed: Passed) -> bool:
    return passed.function in (answer.function, answer.site) and answer.kind in (passed.by, passed.kind)


def _elsewhere(answer: Answer, findings: Iterable[Finding]) -> Iterator[str]:
    for f in findings:
        at = f.evidence.site
        place = f"{at.function}:{at.line}" if at else "no site"
        if answer.matches(f):
            yield f"found, but with the statement at {place}"
        elif f.kind == answer.kind and at is not None and at.function == answer.site:
            yield f"found for {f.function} with the statement at {place}"
