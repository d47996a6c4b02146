"""From arguments to what they name; a clear error where there is no such thing."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from burnish.app import App
from burnish.errors import DataError, UsageError
from burnish.job import Job
from burnish.nearest import nearest
from burnish.profile import Profile
from burnish.report import Report


def app_of(args: Namespace) -> App:
    """What the configuration file describes."""
    return App(args.config)


def profile_of(app: App, release: str | None) -> Profile:
    """The newest data of a release (default: the newest). Raises UsageError, or DataError where there is none."""
    app.runtime.refresh()
    return _there(app, release, app.runtime.profile(release))


def part_of(app: App, function: str, release: str | None) -> Profile:
    """What of `profile_of` concerns one function."""
    app.runtime.refresh()
    return _there(app, release, app.runtime.excerpt(function, release))


def known_names(app: App) -> list[str]:
    """Of all functions that ran in any release, in order."""
    profiles = (app.runtime.profile(release.name) for release in app.runtime.releases())
    return sorted({f.function for profile in profiles if profile is not None for f in profile.functions})


def _there(app: App, release: str | None, profile: Profile | None) -> Profile:
    if profile is not None:
        return profile
    if release is not None and app.runtime.releases():
        known = ", ".join(r.name[:12] for r in app.runtime.releases()[-5:])
        raise UsageError(f"release {release!r} is not in the data; the newest are {known}")
    raise DataError(
        f"{app.path(app.config.runtime.database)}: there is no runtime data of service "
        f"{app.config.service.name!r} in {app.config.service.environment!r} yet; "
        f"run it with the sensor, which writes to {app.path(app.config.runtime.windows)}"
    )


def last_report(app: App) -> Report:
    """What the last cycle said; what a cycle would say now, where none has run."""
    last = app.store.last_run()
    if last is not None:
        return Report.model_validate(last.report)
    ranking = app.world.assess()
    if ranking is None:
        return Report()
    return Report(
        release=ranking.profile.release, candidates=ranking.candidates, told=ranking.told, passed=ranking.passed
    )


def job_of(app: App, text: str) -> Job:
    """The job whose id begins so. Raises UsageError."""
    job = app.store.job(text)
    if job is None:
        known = ", ".join(j.id for j in app.store.jobs()[-5:]) or "none yet"
        raise UsageError(f"no single job has an id that begins with {text!r}; the newest: {known}")
    return job


def number_of(job: Job) -> int:
    """Of its pull request. Raises UsageError where it has none."""
    if job.pull_request is None:
        raise UsageError(f"job {job.id} has no pull request: it is at {job.step.value} ({job.state.value})")
    return job.pull_request.number


def named(text: str, names: Sequence[str]) -> str | None:
    """The function of that name, or the only one that ends with it. Raises UsageError where several do."""
    if text in names:
        return text
    ending = [name for name in names if name.endswith((f":{text}", f".{text}"))]
    if len(ending) > 1:
        raise UsageError(f"{text!r} is ambiguous: {', '.join(ending)}")
    return ending[0] if ending else None


def unknown(text: str, profile: Profile) -> str:
    """The message for a name that is not in the data, with the nearest ones."""
    names = [f.function for f in profile.functions]
    close = nearest(text, names)
    mend = f"; did you mean {', '.join(close)}?" if close else "; `burnish hotspots --by calls` lists what ran"
    return f"no function or job {text!r} in the data of release {profile.release[:12]}{mend}"
