"""What the sensor has to say to the people who run the host: each thing once, in one line on stderr."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print one line; never raises: stderr may be closed."""
    try:
        print("burnish_sensor: " + " ".join(text.split()), file=sys.stderr, flush=True)
    except Exception:  # noqa: BLE001 - the edge: stderr is whatever the host put there
        pass


class Notices:
    """Says each kind of thing once, until it is forgotten."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, kind: str, text: str) -> None:
        """Print ``text`` unless something of this kind was said before."""
        if kind not in self._said:
            self._said.add(kind)
            say(text)
