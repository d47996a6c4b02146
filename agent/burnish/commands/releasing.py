"""`burnish releases` and `deployed`: what went out when, and what came with it."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from burnish.app import App
from burnish.commands.lookup import app_of, profile_of
from burnish.commands.output import output
from burnish.errors import BurnishError, UsageError
from burnish.profile import Deployment, FunctionStats
from burnish.release_view import release_rows, release_table
from burnish.releases import Changes, Contains, changes, in_order, seen, unseen

DAY = 86_400
_TIMES = "write 2026-03-01T14:30:00+01:00, or seconds since 1970"


def releases(args: Namespace) -> int:
    """`burnish releases`."""
    app = app_of(args)
    profile_of(app, None)
    base, contains = _ancestry(app)
    known, marked = app.runtime.releases(), app.runtime.deployments()
    shown = seen(known, marked, contains, base)[-args.last :]
    rows = release_rows(shown, _changes(app, {one.release.name for one in shown}), unseen(known, marked))
    output(args, rows, release_table(rows, len(known)))
    return 0


def deployed(args: Namespace) -> int:
    """`burnish deployed RELEASE`: marks it, as `POST /v1/deployments` does."""
    app = app_of(args)
    release, now = args.release.strip(), app.clock.now()
    if not release:
        raise UsageError("the name of a release must not be empty: give the commit or version that the sensor reports")
    seconds = _seconds(args.at) if args.at else now
    if seconds > now + DAY:
        raise UsageError(f"--at {args.at} lies in the future; a release is marked when it has gone out")
    marked = Deployment(release=release, unix_ns=round(seconds * 1e9), by=args.by)
    service = app.config.service
    app.dataset.mark(marked, service.name, service.environment)
    when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    output(args, marked, f"marked {release} as deployed to {service.environment} at {when} UTC")
    return 0


def _ancestry(app: App) -> tuple[str, Contains | None]:
    """The head of the base branch, and what contains what; nothing where git cannot be asked."""
    try:
        return app.workspace.head(), app.workspace.contains
    except BurnishError:
        return "", None


def _changes(app: App, names: set[str]) -> Mapping[str, Changes]:
    """What each of these releases changed against the one before it; two profiles are held at a time."""
    found: dict[str, Changes] = {}
    functions: dict[str, Sequence[FunctionStats]] = {}
    for before, release in pairwise(one.name for one in in_order(app.runtime.releases())):
        if release in names:
            functions = {name: functions.get(name) or _functions(app, name) for name in (before, release)}
            found[release] = changes(before, functions[before], functions[release])
    return found


def _functions(app: App, release: str) -> Sequence[FunctionStats]:
    profile = app.runtime.profile(release)
    return profile.functions if profile is not None else ()


def _seconds(text: str) -> float:
    """Seconds since 1970, from them or from ISO 8601 (UTC where it names no zone). Raises UsageError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _iso(text)
    if not 0 <= seconds < math.inf:
        raise UsageError(f"--at {text!r} is no time: {_TIMES}")
    return seconds


def _iso(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text!r} is no time: {_TIMES}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
