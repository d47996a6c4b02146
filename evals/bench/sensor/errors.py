"""What stops a benchmark."""

from __future__ import annotations


class BenchError(Exception):
    """Nothing can be measured; the message says what failed and what to do."""


class DoesNotRun(BenchError):
    """One variant (a rival, mostly) does not run here; the others can still be measured."""
