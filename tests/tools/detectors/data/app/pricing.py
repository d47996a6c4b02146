"""Functions with rare spikes that have a reason, and with some that have none: what `record.py` runs."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Sequence


def slow() -> float:
    """Seconds."""
    return random.uniform(0.04, 0.14)


class Customer:
    """Who orders."""


class Reseller(Customer):
    """Has a price list of its own."""


def handle(items: Sequence[int], plan: str) -> int:
    """Only calls the slow one."""
    return total(items, plan)


def total(items: Sequence[int], plan: str) -> int:
    """Slow for 512 items and more, for which it compares each with each."""
    time.sleep(0.002 if len(items) < 512 else slow())
    return sum(items) + len(plan)


def export(rows: Sequence[int], full: bool = False) -> int:
    """Slow for many rows in full; quick for many rows, and for a full export of a few."""
    time.sleep(slow() if full and len(rows) >= 512 else 0.002)
    return len(rows)


def discount(customer: Customer, amount: int) -> float:
    """Slow for a reseller."""
    time.sleep(slow() if isinstance(customer, Reseller) else 0.002)
    return amount * 0.9


def lookup(items: Sequence[int], plan: str) -> int:
    """Slow now and then, whatever it is called with."""
    time.sleep(slow() if random.random() < 0.03 else 0.002)
    return len(items) + len(plan)


def report(items: Sequence[int], db: sqlite3.Connection) -> int:
    """Slow now and then for a reason that no argument tells; asks the database more often then."""
    n = 60 if random.random() < 0.03 else 1
    for i in range(n):
        db.execute("SELECT ?", (i,)).fetchall()
        time.sleep(0.0015)
    return n


def gather(items: Sequence[int], plan: str) -> int:
    """Takes a millisecond for each hundred of items: grows, and has no spikes."""
    time.sleep(0.001 + len(items) / 100_000)
    return len(items)
