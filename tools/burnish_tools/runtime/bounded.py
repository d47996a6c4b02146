"""The types of a window's values, within `limits`: checked where the line is read, in the parser."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from burnish.histogram import Histogram
from burnish_tools.runtime import limits

Name = Annotated[str, Field(max_length=limits.NAME)]
Given = Annotated[str, Field(min_length=1, max_length=limits.NAME, pattern=r"\S")]
Text = Annotated[str, Field(max_length=limits.TEXT)]
Count = Annotated[int, Field(ge=0, le=limits.COUNT)]
Nanoseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]
Whole = Annotated[int, Field(ge=0, lt=2**63)]
Amount = Annotated[float, Field(ge=0, le=limits.AMOUNT, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Counts = Annotated[dict[Name, Count], Field(max_length=limits.ROWS)]
R = TypeVar("R")
Rows = Annotated[tuple[R, ...], Field(max_length=limits.ROWS)]


class _Bounded(Histogram):
    """A histogram within the bounds; apart from them no different from any other."""

    model_config = ConfigDict(from_attributes=True)

    scale: Annotated[int, Field(ge=-10, le=20)] = 3
    count: Count = 0
    sum: Amount = 0
    min: Amount | None = None
    max: Amount | None = None
    zero: Count = 0
    offset: Annotated[int, Field(ge=-limits.INDEX, le=limits.INDEX)] = 0
    counts: Annotated[tuple[Count, ...], Field(max_length=limits.BUCKETS)] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))


class _ReadBounded:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(_Bounded)


Distribution = Annotated[Histogram, _ReadBounded]
"""A histogram as it is sent."""
