"""A model that answers what it was told to, for demonstrations and for tests of what uses a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from burnish.job import Change, Declined
from burnish.protocols import Asked
from burnish.why import Why
from burnish_tools.model.answer import Answer, Unusable, understood


class ScriptedModel:
    """A `ModelAdapter`: a list is answered in order, a mapping by `finding.function`; then it declines.

    Answers go the way of a real model's: an edit that does not fit the files is declined with the reason.
    """

    name = "scripted"

    def __init__(self, answers: Sequence[Answer | Declined] | Mapping[str, Answer | Declined]) -> None:
        self._by_function = dict(answers) if isinstance(answers, Mapping) else {}
        self._in_order = [] if isinstance(answers, Mapping) else list(answers)
        self.asked: list[tuple[str, Asked]] = []
        """(job, question), in order."""

    def propose(self, asked: Asked, job_id: str) -> Change | Declined:
        """The next answer, or that of the function."""
        self.asked.append((job_id, asked))
        answer = self._by_function.get(asked.finding.function) or (self._in_order.pop(0) if self._in_order else None)
        if answer is None:
            return Declined(why=Why.MODEL_DECLINED, detail="the script has no answer for this question")
        result = answer if isinstance(answer, Declined) else understood(answer, asked)
        return Declined(why=Why.MODEL_DECLINED, detail=str(result)) if isinstance(result, Unusable) else result
