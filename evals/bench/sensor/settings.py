"""What the command was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One run of the command. Times in seconds; `scratch` is empty at the start and removed at the end."""

    scratch: Path
    pairs: int
    web_pairs: int
    import_pairs: int
    seed: int
    cpu_seconds: float
    warm_seconds: float
    burst_seconds: float
    accuracy_seconds: float
    rivals: bool = False
    pure: bool = False
    quick: bool = False
    programs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
