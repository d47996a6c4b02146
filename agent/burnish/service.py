"""When a cycle starts: the only file that imports apscheduler.

The schedule is configuration, not data, so there is no job store: a run that was missed while the process was down is
found in Burnish's own `runs` table and made up for once at start.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from burnish.errors import ConfigError
from burnish.settings import ScheduleSettings
from burnish.store import Store


def trigger(settings: ScheduleSettings) -> CronTrigger:
    """The cron expression as a trigger. Raises ConfigError; digits as weekdays are refused.

    APScheduler counts Monday as 0 where cron counts Sunday, so `1` would silently mean Tuesday.
    """
    fields = settings.cron.split()
    if len(fields) == 5 and re.search(r"\d", fields[4]):
        raise ConfigError(f"schedule.cron {settings.cron!r}: name the weekdays (mon, tue-fri), digits are ambiguous")
    try:
        return CronTrigger.from_crontab(settings.cron, timezone=settings.timezone)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"schedule: cron {settings.cron!r} in {settings.timezone!r}: {error}") from error


def missed(schedule: CronTrigger, store: Store, now: datetime) -> bool:
    """Whether a scheduled run was due since the last one; never true before the first."""
    last = store.last_run(scheduled=True)
    if last is None:
        return False
    due = schedule.get_next_fire_time(None, datetime.fromtimestamp(last.started_unix + 1, UTC))
    return due is not None and due < now


def serve(settings: ScheduleSettings, store: Store, cycle: Callable[[], None], now: Callable[[], datetime]) -> None:
    """Runs cycles on schedule until SIGTERM or SIGINT, which let the cycle at work finish."""
    schedule = trigger(settings)
    scheduler = BlockingScheduler(
        timezone=settings.timezone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_job(cycle, schedule, id="cycle")
    if missed(schedule, store, now()):
        scheduler.add_job(cycle, id="catch-up")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    scheduler.start()
