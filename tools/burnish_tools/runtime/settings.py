"""Where the dataset lies."""

from __future__ import annotations

from burnish.settings import Section


class RuntimeSettings(Section):
    """The function-level dataset of the service."""

    database: str = ".burnish/runtime.sqlite3"
    """The file in which the dataset is kept."""
    windows: str = ".burnish/windows"
    """The directory into which the sensor writes its windows (BURNISH_OUTPUT)."""
    profiles: str = ""
    """A directory into which a sampling profiler of the service writes (py-spy's speedscope, pprof, sessions of
    pyinstrument); findings about hot functions then name the line. Files older than the release do not count."""
