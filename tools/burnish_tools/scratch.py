"""Temporary directories that do not outlive a killed process for long."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """An empty directory under `parent`, gone afterwards; those of the same name whose process has died go first."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{name}-*-*"):
        if not _alive(old.name.removeprefix(f"{name}-").split("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-{os.getpid()}-", dir=parent) as directory:
        yield Path(directory)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
