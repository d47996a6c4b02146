"""What PostgreSQL would plan with one index more, without building it in the service's database.

Building it there, even in a transaction that is rolled back, would lock the table against writes meanwhile.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.errors import BurnishError
from burnish.protocols import Index, QueryPlan
from burnish_tools.databases.postgres import explained
from burnish_tools.databases.statement import create_index

if TYPE_CHECKING:
    import psycopg

BUILD_MS = 600_000
"""Longest that an index may take to build on the copy."""
NAME = "burnish_trial"


def hypothetical(db: psycopg.Connection[tuple[Any, ...]], statement: str, index: Index) -> QueryPlan:
    """By HypoPG, in this session only. Raises psycopg.Error, and ValueError for a condition that is no plain one."""
    db.execute("SELECT hypopg_reset()")  # that of a trial that failed
    made = db.execute("SELECT indexname FROM hypopg_create_index(%s)", (create_index(NAME, index),)).fetchone()
    plan = explained(db, statement)
    db.execute("SELECT hypopg_reset()")
    named = str(made[0]) if made else NAME
    renamed = {"lines": tuple(line.replace(named, NAME) for line in plan.lines),
               "indexes": tuple(NAME if name == named else name for name in plan.indexes)}  # fmt: skip
    return plan.model_copy(update={**renamed, "tried_on": "HypoPG"})


def on_a_copy(snapshot: str, statement: str, index: Index) -> QueryPlan | None:
    """The index is built on a scratch copy of the snapshot, which is dropped afterwards; None where that fails."""
    import psycopg

    from burnish_tools.proof.scratch import scratch_databases

    with (
        suppress(BurnishError, psycopg.Error, ValueError),
        tempfile.TemporaryDirectory() as folder,
        scratch_databases(snapshot, Path(folder)) as databases,
        psycopg.connect(databases.copy("trial"), connect_timeout=10) as db,
    ):
        db.execute(f"SET statement_timeout = {BUILD_MS}")
        db.execute(create_index(NAME, index).encode())
        plan = explained(db, statement)
        return plan.model_copy(update={"tried_on": "a scratch copy of the snapshot"})
    return None
