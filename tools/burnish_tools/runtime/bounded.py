"""The types of a window's values, within `limits`: checked where the line is read, in the decoder."""

from __future__ import annotations

from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from burnish.histogram import Histogram
from burnish_tools.runtime import limits

_LARGEST = 1.7976931348623157e308
"""Of all floats; what is not finite is on neither side of it."""

Name = Annotated[str, Meta(max_length=limits.NAME)]
Given = Annotated[str, Meta(min_length=1, max_length=limits.NAME, pattern=r"\S")]
Text = Annotated[str, Meta(max_length=limits.TEXT)]
Count = Annotated[int, Meta(ge=0, le=limits.COUNT)]
Nanoseconds = Annotated[int, Meta(ge=-(2**62), le=2**62)]
Duration = Annotated[int, Meta(ge=0, le=2**62)]
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Amount = Annotated[int, Meta(ge=0, le=limits.AMOUNT)] | Annotated[float, Meta(ge=0, le=float(limits.AMOUNT))]
"""Whole numbers stay whole: they are kept in fewer bytes, and in less time."""
Finite = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
Counts = Annotated[dict[Name, Count], Meta(max_length=limits.ROWS)]
Fact = bool | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Name
R = TypeVar("R")
Rows = Annotated[tuple[R, ...], Meta(max_length=limits.ROWS)]


class Part(Struct, frozen=True, gc=False, omit_defaults=True):
    """A part of a window. Bounds hold for what was read (`format.parse`, `format.of_plain`)."""


class Distribution(Part, frozen=True):
    """A histogram as it is sent: plain values, as there are very many."""

    scale: Annotated[int, Meta(ge=-10, le=20)] = 3
    count: Count = 0
    sum: Amount = 0
    min: Amount | None = None
    max: Amount | None = None
    zero: Count = 0
    offset: Annotated[int, Meta(ge=-limits.INDEX, le=limits.INDEX)] = 0
    counts: Annotated[tuple[Count, ...], Meta(max_length=limits.BUCKETS)] = ()

    def histogram(self) -> Histogram:
        """The same as a value that can be calculated with."""
        return Histogram(
            scale=self.scale,
            count=self.count,
            sum=self.sum,
            min=self.min,
            max=self.max,
            zero=self.zero,
            offset=self.offset,
            counts=self.counts,
        )

    def at_most_scale(self, scale: int) -> Distribution:
        """The same, no finer than a scale."""
        if self.scale <= scale:
            return self
        coarse = self.histogram().at_scale(scale)
        return Distribution(
            scale=coarse.scale,
            count=coarse.count,
            sum=self.sum,
            min=self.min,
            max=self.max,
            zero=coarse.zero,
            offset=coarse.offset,
            counts=coarse.counts,
        )
