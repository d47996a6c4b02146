"""The steps as a LangGraph graph: the only file that imports langgraph.

A job is a thread. The checkpoint is where a killed job goes on; the truth about a job is the `jobs` table, which is
written at each step, so that a lost checkpoint costs nothing: a thread without one enters at `job.step`. The waits are
interrupts: no process sleeps for days.
"""

from __future__ import annotations

import enum
import os
import sqlite3
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from burnish import job as values
from burnish import why
from burnish.errors import DataError
from burnish.job import Job, State, Step
from burnish.steps import NEWS, STEPS
from burnish.world import World

TRACING = ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2")


class JobState(BaseModel):
    """The graph's state: the job, nothing else."""

    job: Job


def local_checkpoints(path: Path) -> SqliteSaver:
    """In a SQLite file. Raises DataError."""
    try:
        saver = SqliteSaver(sqlite3.connect(path, check_same_thread=False), serde=serializer())
        saver.setup()
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path}: cannot be read ({error}); move it away, the jobs go on without") from error
    return saver


def serializer() -> JsonPlusSerializer:
    """How checkpoints are written; it reads nothing but `stored_types`."""
    return JsonPlusSerializer(allowed_msgpack_modules=stored_types())


class Jobs:
    """Runs jobs step by step and lets them wait."""

    def __init__(self, world: World, checkpoints: BaseCheckpointSaver[Any]) -> None:
        for name in TRACING:  # other people's source passes through here; it is sent nowhere
            os.environ[name] = "false"
        self._world = world
        self._checkpoints: Any = checkpoints
        self.graph = build(world).compile(checkpointer=checkpoints)

    def advance(self, job: Job) -> Job:
        """Runs a new or killed job until it waits or ends."""
        config = self._config(job)
        self.graph.invoke(None if self._is_at(job) else JobState(job=job), config, durability="sync")
        return self._now(job)

    def resume(self, job: Job, news: dict[str, Any]) -> Job:
        """Ends a wait with what has happened."""
        config = self._config(job)
        if not (self._is_at(job) and self.graph.get_state(config).interrupts):
            self.graph.invoke(JobState(job=job), config, durability="sync")
        self.graph.invoke(Command(resume=news), config, durability="sync")
        return self._now(job)

    def _is_at(self, job: Job) -> bool:
        """Whether the checkpoint is where the jobs table says; one that was lost or is a step behind is not."""
        return self.graph.get_state(self._config(job)).next == (job.step.value,)

    def close(self) -> None:
        """Lets the checkpoints' file or server go."""
        self._checkpoints.conn.close()

    def _now(self, job: Job) -> Job:
        return self._world.store.job(job.id) or job

    @staticmethod
    def _config(job: Job) -> Any:
        return {"configurable": {"thread_id": job.id}, "recursion_limit": 50}


def build(world: World) -> StateGraph[Any, Any, Any, Any]:
    """The graph; step names are a stored format."""
    graph = StateGraph(JobState)
    names = [step.value for step in STEPS]
    for step in STEPS:
        graph.add_node(step.value, _node(step, world))
        graph.add_conditional_edges(step.value, _next, [*names, END])
    graph.add_conditional_edges(START, _next, names)
    return graph


def stored_types() -> list[type]:
    """Every type that a checkpoint may hold."""
    kinds = [v for module in (values, why) for v in vars(module).values() if isinstance(v, type)]
    return [JobState, *(k for k in kinds if issubclass(k, BaseModel | enum.Enum))]


def _node(step: Step, world: World) -> Any:
    run = STEPS[step]

    def node(state: JobState) -> dict[str, Job]:
        argument = interrupt({"waiting_for": step.value}) if step in NEWS else world
        world.begins(state.job)
        job = world.store.save(Job.model_validate(run(state.job, argument)))
        world.ends(job)
        return {"job": job}

    return node


def _next(state: JobState) -> str:
    return state.job.step.value if state.job.state in (State.RUNNING, State.WAITING) else END
