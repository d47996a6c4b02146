"""RQ: jobs as entries ``job:module.function``. A work horse ends without ``atexit``: what it did is written before."""

from __future__ import annotations

import re
from typing import Any, Callable

from ..probe import Probe
from ._library import Library

PATCHES = {"rq.job": "patch_job", "rq.worker": "patch_worker"}
_NAME = re.compile(r"[\w.<>:]{1,200}")


def patch_job(library: Library) -> None:
    """``Job.perform``, which also ``Queue(is_async=False)`` calls."""
    library.wrap(library.module.Job, "perform", _performing)


def patch_worker(library: Library) -> None:
    """``perform_job`` of the worker class that has it: with its callbacks it is the last that a work horse does."""
    owner = next(kind for kind in library.module.Worker.__mro__ if "perform_job" in vars(kind))
    library.wrap(owner, "perform_job", _flushing)


def _performing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def perform(self: Any) -> Any:
        if not probe.active or probe.entries.inside():
            return original(self)
        entry = probe.entries.begin("job", f"job:{_name(self)}")
        probe.note("retry", getattr(self, "number_of_retries", None) or 0)
        failure: BaseException | None = None
        try:
            return original(self)
        except BaseException as error:
            failure = error
            raise
        finally:
            probe.entries.end(entry, error=failure)

    return perform


def _name(job: Any) -> str:
    """The function's path; a method of a pickled object has only the name of the method."""
    try:
        name = str(job.func_name)
    except Exception:  # noqa: BLE001 - a job that cannot be read fails by itself
        name = ""
    return name if _NAME.fullmatch(name) else "<unknown>"


def _flushing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def perform_job(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return original(self, *arguments, **options)
        finally:
            if getattr(self, "_is_horse", False):
                probe.flush()

    return perform_job
