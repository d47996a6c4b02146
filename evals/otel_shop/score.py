"""The answers of a service as stock OpenTelemetry can show them: by entry instead of function, without a call site.

A planted N+1 and a planted repeated query are both to be told as `repeated_statement`, for spans do not tell which it
is; a missing index is one by its statement; running time of functions (`cpu_hot`) cannot be seen and is counted apart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.finding import Finding, Passed
from evals.scoreboard.score import Answer, Answers, Score, scores

TOLD_AS = {"n_plus_one": "repeated_statement", "repeated_query": "repeated_statement", "missing_index": "missing_index"}
"""The kind of finding by the kind of problem."""


@dataclass(frozen=True)
class Seen:
    """What of the answers spans can show, and the entries of planted problems that they cannot."""

    answers: Answers
    beyond: tuple[str, ...]
    """`cpu_hot in GET trending/<str:channel>/`"""

    @classmethod
    def read(cls, path: Path) -> Seen:
        """From ANSWERS.toml."""
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        beyond = tuple(f"{row['kind']} in {row['entry']}" for row in data["planted"] if row["kind"] not in TOLD_AS)
        return cls(Answers(_answers(data["planted"]), _answers(data["decoy"])), beyond)


def _answers(rows: Iterable[Mapping[str, Any]]) -> tuple[Answer, ...]:
    """Each entry and kind once: two decoys in one entry are one there."""
    found = (Answer(f"<otel>:{row['entry']}", TOLD_AS[row["kind"]]) for row in rows if row["kind"] in TOLD_AS)
    return tuple(dict.fromkeys(found))


def scored(seen: Seen, candidates: Sequence[Finding], told: Sequence[Finding], passed: Sequence[Passed]) -> list[Score]:
    """What is shown, in the order in which it is shown: most findings on spans are only told, and count like others."""
    return scores(seen.answers, [*candidates, *told], passed=passed)
