"""A candidate becomes a plan: which recipe answers it, a question for the model, or why neither does."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.finding import Finding, Passed
from burnish.job import Change, Declined, Job
from burnish.protocols import Asked, Recipe, Source
from burnish.why import Why
from burnish.world import World

MODEL = "model"
"""The name in `Job.recipe` where the model makes the edit."""


def recipes_for(finding: Finding, recipes: Sequence[Recipe]) -> list[Recipe]:
    """The recipes that may answer a kind of finding; the least risky first."""
    return sorted((r for r in recipes if finding.kind in r.kinds), key=lambda r: (r.risk, r.name))


def unanswered(finding: Finding, world: World) -> Passed | None:
    """Where nothing can answer the kind of finding: neither a recipe nor a model. No job is worth beginning then."""
    if world.model is not None or recipes_for(finding, world.recipes):
        return None
    return Passed(
        function=finding.function,
        by="plan",
        why=Why.NO_RECIPE,
        detail=f"{finding.kind}: model.name is none",
        fingerprint=finding.fingerprint,
        kind=finding.kind,
    )


def choose(job: Job, world: World) -> str | Declined:
    """The first recipe that has an edit for the finding at `job.base`; else the model, where there is one."""
    source = world.workspace.source(job.base)
    refusals: list[tuple[str, Declined]] = []
    for recipe in recipes_for(job.finding, world.recipes):
        answer = recipe.apply(job.finding, source)
        if isinstance(answer, Change):
            return recipe.name
        refusals.append((recipe.name, answer))
    if world.model is not None and not any(r.why in FINAL for _, r in refusals):
        return MODEL
    return _together(refusals)


def edited(job: Job, world: World) -> Change | Declined:
    """The chosen recipe's or the model's edit at `job.base`."""
    source = world.workspace.source(job.base)
    if job.recipe == MODEL:
        assert world.model is not None
        return world.model.propose(Asked(finding=job.finding, files=_files(job.finding, source)), job.id)
    recipe = next(r for r in world.recipes if r.name == job.recipe)
    return recipe.apply(job.finding, source)


FINAL = frozenset({Why.LOOP_LOCKS, Why.LOOP_WRITES, Why.LOAD_BEARING, Why.READS_CLOCK, Why.CODE_MOVED_ON})
"""Refusals that say acting would be wrong, so that the model is not asked either."""
_WEAK = frozenset({Why.NO_PATTERN, Why.RELATION_NOT_FOUND})
"""Refusals that only say "not mine"; a more telling one is shown first."""


def _together(refusals: Sequence[tuple[str, Declined]]) -> Declined:
    if not refusals:
        return Declined(why=Why.NO_RECIPE)
    telling = [r for r in refusals if r[1].why not in _WEAK] or list(refusals)
    first = telling[0][1]
    detail = "; ".join(f"{name}: {r.detail or r.why.sentence}" for name, r in telling)
    return Declined(why=first.why, detail=detail)


def _files(finding: Finding, source: Source) -> tuple[tuple[str, str], ...]:
    """The function's file and the call site's: all that the model sees of the repository."""
    paths = [finding.file] + ([finding.evidence.site.file] if finding.evidence.site else [])
    texts = {path: source.read(path) for path in dict.fromkeys(paths)}
    return tuple((path, text) for path, text in texts.items() if text is not None)
