from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from burnish.errors import ConfigError
from burnish.service import missed, trigger
from burnish.settings import ScheduleSettings
from burnish.store import Store
from burnish.testing.scripted import FixedClock
from tests.agent.test_cli import place  # noqa: F401  -- a fixture


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


def test_the_service_makes_up_for_a_missed_run_and_ends_on_sigterm(place: Path) -> None:  # noqa: F811
    store = Store(place / ".burnish", FixedClock(at("2020-01-01").timestamp()))
    store.end_run(store.begin_run(scheduled=True), {})
    process = subprocess.Popen(
        [sys.executable, "-m", "burnish", "run"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (last := store.last_run(scheduled=True)) and last.id == 1:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    last = store.last_run(scheduled=True)
    assert last is not None
    assert last.id == 2, said
    assert "has no branch main" in last.report["problems"][0]  # the fixture's repository is empty
    assert process.returncode == 0, said
