"""Profiles in speedscope's JSON, as `py-spy record --format speedscope` writes them.

Format: https://www.speedscope.app/file-format-schema.json. Of a sampled profile each sample is a stack of indices into
the shared frames, the innermost last. An *evented* profile (of a tracer) is refused: it has times and no samples, so
that nothing can be said of how sure it is.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from burnish.errors import DataError
from burnish_tools.sources.samples import Samples


class _Frame(BaseModel):
    name: str
    file: str | None = None
    line: int | None = None


class _Shared(BaseModel):
    frames: tuple[_Frame, ...]


class _Profile(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str
    samples: tuple[tuple[int, ...], ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    shared: _Shared
    profiles: tuple[_Profile, ...]


class Speedscope:
    """Reads one file."""

    name = "speedscope"
    suffixes = (".speedscope", ".speedscope.json", ".json")

    def read(self, data: bytes) -> Samples | None:
        """None where it is another format. Raises DataError where it is this one and cannot be used."""
        if b"speedscope" not in data[:4096] and b'"shared"' not in data:
            return None
        try:
            file = _File.model_validate_json(data)
        except ValidationError as error:
            raise DataError(f"no speedscope file: {error.errors()[0]['msg']}") from None
        if any(profile.type != "sampled" for profile in file.profiles):
            raise DataError("it holds an evented profile, which has no samples; export a sampled one")
        found, frames = Samples(), file.shared.frames
        for stack in (stack for profile in file.profiles for stack in profile.samples if stack):
            if not 0 <= stack[-1] < len(frames):
                raise DataError(f"a sample names frame {stack[-1]}, there are {len(frames)}")
            frame = frames[stack[-1]]
            found.add(frame.name, frame.file or "", frame.line or 0)
        return found
