"""What a person sees while a cycle works: one line a step, and a bar for the checks of a proof. To stderr only."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from burnish.job import Job, State, Step


class Progress:
    """Told when steps begin and end, and how far a proof is."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def begins(self, job: Job) -> None:
        """A step begins."""
        self._console.print(
            f"  {job.id[:8]} {job.step.value:<18} {job.finding.kind} in {job.finding.function}", soft_wrap=True
        )
        if job.step is Step.PROVE and self._console.is_terminal:
            columns = (TextColumn("    {task.description:<28}"), BarColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("proof", total=1.0)

    def ends(self, job: Job) -> None:
        """A step has ended; a job that declined says why."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if job.state is State.DECLINED and job.why is not None:
            self._console.print(f"           declined: {job.why.sentence} {job.detail}", soft_wrap=True)

    def checks(self, name: str, share: float) -> None:
        """A check of a proof has got this far (0–1)."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=name, completed=share)
        elif share == 0:
            self._console.print(f"           {name}")
