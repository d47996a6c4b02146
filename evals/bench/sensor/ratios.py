"""Ratios of interleaved measurements, with bootstrap intervals. The unit that is resampled is a round.

In a round every variant does the same work within seconds of the others, so that the weather of a shared machine
divides out. What is measured is a cost: above 1 is dearer than `plain`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from statistics import geometric_mean, median
from typing import TypeVar

from burnish.finding import Interval
from burnish.stats import bootstrap

PLAIN, AGAIN, SENSOR = "plain", "plain again", "sensor"
OURS = (PLAIN, AGAIN, SENSOR)
Round = Mapping[str, float]
ProgramRound = Mapping[str, Round]
"""What each variant took, by program."""
T = TypeVar("T")


def median_ratio(rounds: Sequence[Round], variant: str) -> float:
    """The median over rounds of variant ÷ plain; a round that lacks one of them is left out. nan without rounds."""
    ratios = [one[variant] / one[PLAIN] for one in rounds if variant in one and PLAIN in one]
    return median(ratios) if ratios else float("nan")


def ratio(rounds: Sequence[Round], variant: str, rng: random.Random) -> Interval:
    """`median_ratio` with a 95 % interval; `n` is the number of rounds in which both ran."""
    usable = [one for one in rounds if variant in one and PLAIN in one]
    return bootstrap(usable, lambda some: median_ratio(some, variant), rng)


def over_programs(
    rounds: Sequence[ProgramRound], variant: str, rng: random.Random, *, summary: Callable[[list[float]], float]
) -> Interval:
    """`summary` (geometric mean, max) of the programs' median ratios, resampling whole rounds of all programs."""
    usable = [one for one in rounds if any(variant in program for program in one.values())]

    def statistic(some: Sequence[ProgramRound]) -> float:
        names = sorted({name for one in some for name, program in one.items() if variant in program})
        return summary([median_ratio([one[name] for one in some if name in one], variant) for name in names])

    return bootstrap(usable, statistic, rng)


def geometric(rounds: Sequence[ProgramRound], variant: str, rng: random.Random) -> Interval:
    """The geometric mean over programs."""
    return over_programs(rounds, variant, rng, summary=geometric_mean)


def worst(rounds: Sequence[ProgramRound], variant: str, rng: random.Random) -> Interval:
    """The largest median of a program. Noise makes it too large: compare with that of `plain again`."""
    return over_programs(rounds, variant, rng, summary=max)


def pooled(
    rounds: Sequence[Mapping[str, Sequence[T]]],
    variant: str,
    statistic: Callable[[Sequence[T]], float],
    rng: random.Random,
) -> Interval:
    """`statistic` of all values of a variant ÷ that of plain's, resampling rounds: for percentiles, which are too
    rough within one round."""
    usable = [one for one in rounds if variant in one and PLAIN in one]

    def of(some: Sequence[Mapping[str, Sequence[T]]]) -> float:
        over, under = ([value for one in some for value in one[name]] for name in (variant, PLAIN))
        return statistic(over) / statistic(under)

    return bootstrap(usable, of, rng, resamples=400)


def difference(rounds: Sequence[Round], variant: str, rng: random.Random) -> Interval:
    """The median over rounds of variant − plain, in the unit of the measurement."""
    usable = [one[variant] - one[PLAIN] for one in rounds if variant in one and PLAIN in one]
    return bootstrap(usable, median, rng)


def shuffled(names: Sequence[T], rng: random.Random) -> list[T]:
    """A random order for one round."""
    return rng.sample(list(names), len(names))
