"""Months and weeks as half-open intervals in UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """`2026-09` as its first instant and that of the next month."""
    since = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return since, (since + timedelta(days=32)).replace(day=1)


def weeks_between(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The interval in pieces of seven days; the last one may be shorter."""
    while since < until:
        end = min(since + timedelta(days=7), until)
        yield since, end
        since = end


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
