"""Sessions of pyinstrument: `pyinstrument -r session`, or `Session.save` in the service.

A frame record is a stack, the outermost first, and a time. A frame is `function NUL file NUL first line`, then
attributes that begin with `\\x01`; `\\x01l` is the line that ran. (The renderer `json` keeps no lines and is refused.)

pyinstrument asks once per millisecond at most, and one record can stand for several intervals in which nothing was
asked: a record counts as one sample. It asks when a function is called or returns, so that lines without calls are seen
less than they should be: where there is a choice, take py-spy's profiles.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from burnish.errors import DataError
from burnish_tools.sources.samples import Samples

_ATTRIBUTE = "\x01"
_LINE = "l"


class _Session(BaseModel):
    model_config = ConfigDict(extra="ignore")

    frame_records: tuple[tuple[tuple[str, ...], float], ...]


class Pyinstrument:
    """Reads one file."""

    name = "pyinstrument"
    suffixes = (".pyisession", ".json")

    def read(self, data: bytes) -> Samples | None:
        """None where it is another format. Raises DataError where it is this one and cannot be used."""
        if b'"root_frame"' in data[:4096]:
            raise DataError("pyinstrument's JSON keeps no lines; save the session: pyinstrument -r session -o FILE")
        if b'"frame_records"' not in data:
            return None
        try:
            session = _Session.model_validate_json(data)
        except ValidationError as error:
            raise DataError(f"no session of pyinstrument: {error.errors()[0]['msg']}") from None
        found = Samples()
        for stack, _ in session.frame_records:
            place = next((place for frame in reversed(stack) if (place := _place(frame))), None)
            if place:
                found.add(*place)
        return found


def _place(frame: str) -> tuple[str, str, int] | None:
    """None for what is no line of Python: threads, built-in functions; their time is their caller's."""
    identity, *attributes = frame.split(_ATTRIBUTE)
    function, _, rest = identity.partition("\0")
    file, _, first = rest.rpartition("\0")
    if not file or file.startswith("<"):
        return None
    lines = [text[1:] for text in attributes if text[:1] == _LINE and text[1:].isdigit()]
    line = lines[0] if lines else first
    return function, file, int(line) if line.isdigit() else 0
