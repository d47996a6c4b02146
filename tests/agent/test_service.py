from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from burnish.errors import ConfigError
from burnish.service import missed, trigger
from burnish.settings import ScheduleSettings
from burnish.store import Store
from burnish.testing.scripted import FixedClock


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_weekdays_go_by_name() -> None:
    schedule = trigger(ScheduleSettings(cron="0 3 * * mon"))
    fires = schedule.get_next_fire_time(None, at("2026-11-18"))
    assert fires.strftime("%A %H:%M") == "Monday 03:00"


@pytest.mark.parametrize(
    ("cron", "says"), [("0 3 * * 1", "name the weekdays"), ("0 3 *", "cron"), ("x * * * *", "cron")]
)
def test_a_wrong_schedule_is_refused(cron: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        trigger(ScheduleSettings(cron=cron))


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="Mars"):
        trigger(ScheduleSettings(timezone="Mars/Olympus"))


@pytest.mark.parametrize(("now", "due"), [("2026-11-18T02:00", False), ("2026-11-18T04:00", True)])
def test_a_run_missed_while_the_process_was_down_is_found(tmp_path: Path, now: str, due: bool) -> None:
    clock = FixedClock(at("2026-11-17T03:00").timestamp())
    store = Store(tmp_path, clock)
    schedule = trigger(ScheduleSettings(cron="0 3 * * *"))
    assert missed(schedule, store, at(now)) is False  # never before the first run
    store.end_run(store.begin_run(scheduled=True), {})
    assert missed(schedule, store, at(now)) is due
