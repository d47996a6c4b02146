"""The tables of the dataset, as numbered steps that are never changed once released: add another instead.

    windows (spans of level 0) ─┬─ details   all rows of the window in one compressed piece, while it is new
                                └─ points    (function, entry): calls, time and queries; function 0 is the entry;
                                             once the window has been added up
    sums (spans of level 1, 2) ─┬─ entry_rows      one row for each entry in the span
                                ├─ call_rows       (function, entry)
                                ├─ query_rows      (statement, call site, entry)
                                ├─ fan_out_rows    (function on the stack, statement, call site, entry)
                                ├─ driver_rows     the same, and the statement that drove the repetition
                                └─ dependency_rows (other service and operation, call site, entry)
    samples: calls that were looked at, by function and window

A *window* is of one instance; when it is old, those of a minute are put together. A *sum* is of all windows of a
release that began in one hour (level 1) or one day (level 2). Sums of histograms are exact, so a long stretch is read
from few rows. Names that come again and again are stored once. `horizon` says up to when windows were dropped, and when
names were looked through for those that nothing refers to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from burnish.errors import DataError
from burnish_tools.runtime.sqlite.steps import DEPENDENCIES_DETAILS_SAMPLES, TABLES


def _1_tables(db: sqlite3.Connection) -> None:
    for statement in TABLES.split(";"):
        db.execute(statement)


def _2_dependencies_details_samples(db: sqlite3.Connection) -> None:
    for statement in DEPENDENCIES_DETAILS_SAMPLES.split(";"):
        db.execute(statement)


def _3_points_once_added_up(db: sqlite3.Connection) -> None:
    """Windows that wait get their points when they are added up; an older Burnish would not write them."""
    db.execute("DELETE FROM points WHERE span_id IN (SELECT id FROM spans WHERE level = 0 AND NOT summed)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _1_tables,
    _2_dependencies_details_samples,
    _3_points_once_added_up,
)


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Brings the tables up to date. Raises DataError where the file was written by a newer Burnish."""
    version = _version(db)
    if version > len(MIGRATIONS):
        raise DataError(
            f"{path}: written by a newer Burnish (schema {version}, this one knows {len(MIGRATIONS)}); upgrade Burnish"
        )
    if version == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    with db:
        for number in range(_version(db), len(MIGRATIONS)):
            MIGRATIONS[number](db)
            db.execute(f"PRAGMA user_version = {number + 1}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
