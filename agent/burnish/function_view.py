"""What a senior engineer wants to know of a function before touching it, as one frozen value.

Pure: the dataset, a profile (a whole one or the function's `excerpt`), what was found and what is being done about it
go in. `burnish.function_facts` makes JSON of the view under a budget of tokens, `burnish.function_text` one screen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

from burnish.conditions import Condition, Sample, explain
from burnish.finding import Finding, Interval, Site
from burnish.function_model import (
    Changed,
    Confidence,
    Dependency,
    FunctionView,
    Share,
    SlowWhen,
    Statement,
    Status,
    Times,
)
from burnish.histogram import Histogram
from burnish.job import Job
from burnish.measured import measured
from burnish.nearest import nearest
from burnish.profile import DependencyStats, FanOut, FunctionStats, Profile, Release
from burnish.protocols import Runtime

RESAMPLES, BLOCKS = 300, 40
"""Of a bootstrap here: coarser than a verdict's, so that each interval takes a few ms; its ends are then known to about
a tenth of its width."""
MOST_ROWS = 800
"""Newest calls that were looked at from which conditions are estimated: the work grows with them."""
LOOK_BACK = ((2, MOST_ROWS), (24, 100), (24 * 366, 0))
"""Hours of samples that are read, and how many calls in them are enough not to read more."""
MOST_CONDITIONS = 2
MOST_RELEASES = 6
"""How many releases are looked back for changes of the code."""
MOST_CHANGES = 2
STALE_HOURS = 1.0
"""Windows come every minute: after an hour without one the service or the collector stands still."""
HOUR_NS = 3_600 * 10**9
_Z = 1.96


def function_view(
    name: str,
    runtime: Runtime,
    profile: Profile,
    findings: Sequence[Finding] | None,
    jobs: Sequence[Job],
    *,
    now: float,
    names: Sequence[str] = (),
) -> FunctionView:
    """The view of `name` in the profile's release.

    `findings` is None where nothing has looked for any yet; `now` is in seconds since 1970; `names` are those of all
    functions that ran, for what to say of one that did not.
    """
    stats = profile.function(name)
    releases = _until(runtime.releases(), profile.release)
    lineage = _lineage(name, runtime, profile, releases)
    notes = _whole_dataset(profile, findings, now)
    mine = {
        "function": name,
        "service": profile.service,
        "environment": profile.environment,
        "release": profile.release,
        "findings": tuple(f for f in findings or () if f.function == name),
        "jobs": tuple(sorted((j for j in jobs if j.finding.function == name), key=lambda j: (-j.created_unix, j.id))),
    }
    if stats is None or not stats.calls:
        return _not_seen(mine, profile, lineage, notes, names)
    seen = measured(stats, profile, runtime, resamples=RESAMPLES, blocks=BLOCKS)
    conditions, looked_at, one_in = _conditions(name, runtime, profile)
    dependencies = tuple(_dependency(d, stats) for d in profile.dependencies if d.site.function == name)
    rows = sorted((x for x in profile.fan_outs if x.function == name), key=lambda x: (-x.time_ns, x.statement_id))
    return FunctionView(
        **mine,
        status=Status.SEEN,
        no_data=(*notes, *_missing(looked_at, stats, profile)),
        site=Site(function=name, file=stats.file, line=stats.line),
        kind=stats.kind,
        body=stats.body,
        calls_per_minute=seen.calls_per_minute,
        wall=_times(stats.wall, seen.wall_ns),
        own_share=stats.own.sum / stats.wall.sum if stats.wall.sum else None,
        errors=stats.errors,
        slow_when=tuple(
            SlowWhen(text=c.text, calls=c.calls, slow_time=c.slow_time, p99_ns=c.p99_ns) for c in conditions
        ),
        looked_at=looked_at,
        entries=_entries(name, runtime, profile, stats),
        callers=_shares({caller or "(entry)": n for caller, n in stats.callers.items()}, profile),
        callees=_callees(name, profile, stats),
        statements=tuple(_statement(x, stats) for x in rows),
        dependencies=tuple(sorted(dependencies, key=lambda d: (-d.calls_per_call * d.mean_ns, d.what))),
        changed=_changes(lineage, runtime),
        confidence=_confidence(profile, stats, seen.last_unix_ns, one_in),
    )


# ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _times(wall: Histogram, mean: Interval) -> Times:
    p50, p90, p99 = (wall.quantile(q) for q in (0.5, 0.9, 0.99))
    return Times(mean=mean, p50=p50, p90=p90, p99=p99, most=wall.max or 0.0)


def _conditions(name: str, runtime: Runtime, profile: Profile) -> tuple[Sequence[Condition], int, float]:
    """What explains the slow calls, from how many that were looked at, and how many calls one recorded stands for."""
    newest, rows = [], 0
    for sample in reversed(_recent(name, runtime, profile)):
        rows += len(sample.exemplars)
        newest.append(sample)
        if rows >= MOST_ROWS:
            break
    calls = sum(sample.looked.calls for sample in newest)
    rate = sum(sample.looked.rate * sample.looked.calls for sample in newest) / calls if calls else 1.0
    return explain(newest[::-1], random.Random(name), MOST_CONDITIONS), rows, rate


def _recent(name: str, runtime: Runtime, profile: Profile) -> Sequence[Sample]:
    """The samples of the last hours, of as many as it takes to have enough of them."""
    found: Sequence[Sample] = ()
    for hours, enough in LOOK_BACK:
        since = max(0, profile.end_unix_ns - hours * HOUR_NS)
        found = runtime.samples(name, profile.release, since_unix_ns=since)
        if sum(len(sample.exemplars) for sample in found) >= enough:
            break
    return found


def _entries(name: str, runtime: Runtime, profile: Profile, stats: FunctionStats) -> tuple[Share, ...]:
    """With the share of the entry's time that goes by in the function, concurrent calls counted as if one by one."""
    first = profile.start_unix_ns // HOUR_NS * HOUR_NS
    by_entry = runtime.span(name, first, profile.end_unix_ns, release=profile.release)
    total = {e.entry: e.wall.sum for e in profile.entries}
    return tuple(
        share.model_copy(
            update={"time_share": min(1.0, by_entry[share.name].wall.sum / total[share.name])}
            if share.name in by_entry and total.get(share.name)
            else {}
        )
        for share in _shares(stats.entries, profile)
    )


def _shares(calls: Mapping[str, int], profile: Profile) -> tuple[Share, ...]:
    ordered = sorted(calls.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Share(name=name, calls_per_minute=n / profile.minutes) for name, n in ordered)


def _callees(name: str, profile: Profile, stats: FunctionStats) -> tuple[Share, ...]:
    calls = {f.function: f.callers[name] for f in profile.functions if f.callers.get(name)}
    return tuple(
        share.model_copy(update={"per_call": calls[share.name] / stats.calls}) for share in _shares(calls, profile)
    )


def _statement(row: FanOut, stats: FunctionStats) -> Statement:
    calls = max(stats.calls, row.calls)
    return Statement(
        statement=row.statement,
        site=row.site,
        executions_per_call=row.executions.sum / calls,
        p90=row.executions.quantile(0.9),
        identical=row.identical / row.executions.sum if row.executions.sum else 0.0,
        ns_per_call=row.time_ns / calls,
    )


def _dependency(row: DependencyStats, stats: FunctionStats) -> Dependency:
    return Dependency(
        what=" ".join(part for part in (row.kind, row.peer, row.operation) if part),
        calls_per_call=row.calls / stats.calls,
        mean_ns=row.wall.mean,
        failures=_wilson(sum(row.errors.values()), row.calls),
        timeouts=row.timeouts,
        retries=row.retries,
    )


def _wilson(k: int, n: int) -> Interval:
    """Wilson's score interval of a share."""
    if not n:
        return Interval(value=0.0, low=0.0, high=1.0, n=0)
    share, z2 = min(k / n, 1.0), _Z**2
    middle, reach = share + z2 / (2 * n), _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = (middle - reach) / (1 + z2 / n), (middle + reach) / (1 + z2 / n)
    return Interval(value=share, low=max(0.0, low), high=min(1.0, high), n=n)


def _until(releases: Sequence[Release], name: str) -> list[Release]:
    """The releases up to this one, oldest first."""
    names = [release.name for release in releases]
    end = names.index(name) + 1 if name in names else len(names)
    return list(releases[max(0, end - MOST_RELEASES) : end])


Lineage = list[tuple[Release, FunctionStats, Profile]]


def _lineage(name: str, runtime: Runtime, profile: Profile, releases: Sequence[Release]) -> Lineage:
    """The function in each of the releases in which it ran, oldest first."""
    found: Lineage = []
    for release in releases:
        part = profile if release.name == profile.release else runtime.excerpt(name, release.name)
        stats = part.function(name) if part is not None else None
        if part is not None and stats is not None and stats.calls:
            found.append((release, stats, part))
    return found


def _changes(lineage: Lineage, runtime: Runtime) -> tuple[Changed, ...]:
    """The newest two, the newest first."""
    pairs = [(a, b) for a, b in pairwise(lineage) if a[1].body and b[1].body and a[1].body != b[1].body]
    return tuple(
        Changed(
            release=release.name,
            first_unix_ns=release.first_unix_ns,
            before=measured(old, old_profile, runtime, resamples=RESAMPLES, blocks=BLOCKS).wall_ns,
            after=measured(new, new_profile, runtime, resamples=RESAMPLES, blocks=BLOCKS).wall_ns,
            calls_before=old.calls,
            calls_after=new.calls,
        )
        for (_, old, old_profile), (release, new, new_profile) in pairs[: -MOST_CHANGES - 1 : -1]
    )


def _confidence(profile: Profile, stats: FunctionStats | None, last: int, one_in: float = 1.0) -> Confidence:
    error = _Z * stats.errors_of_sampling[0] / stats.calls if stats is not None and stats.calls else 0.0
    return Confidence(
        calls=stats.calls if stats else 0,
        windows=profile.windows,
        instances=profile.instances,
        observed_hours=profile.observed_seconds / 3600,
        last_unix_ns=last,
        data_until_unix_ns=profile.end_unix_ns,
        calls_error=error,
        recorded_one_in=one_in,
    )


# ── what the data do not have ────────────────────────────────────────────────────────────────────────────────────────


def _whole_dataset(profile: Profile, findings: Sequence[Finding] | None, now: float) -> tuple[str, ...]:
    hours = (now - profile.end_unix_ns / 1e9) / 3600
    notes = []
    if hours > STALE_HOURS:
        notes.append(f"the data end {ago(hours)} ago")
    if findings is None:
        notes.append("nothing has looked for findings yet: `burnish findings` does")
    return tuple(notes)


def _missing(looked_at: int, stats: FunctionStats, profile: Profile) -> tuple[str, ...]:
    notes = [] if looked_at else ["no call was looked at closely, so nothing is known of when it is slow"]
    if stats.file == "":
        notes.append("it is a span of OpenTelemetry without code attributes: place, code and own time are not known")
    dropped = {kind: n for kind, n in profile.dropped.items() if n}
    if dropped:
        notes.append("the sensor left out " + ", ".join(f"{n} {kind}" for kind, n in sorted(dropped.items())))
    return tuple(notes)


def _not_seen(
    mine: Mapping[str, object], profile: Profile, lineage: Lineage, notes: tuple[str, ...], names: Sequence[str]
) -> FunctionView:
    name = str(mine["function"])
    text = f"no call in {ago(profile.observed_seconds / 3600)} observed of release {profile.release[:12]}"
    status, site, last = Status.UNKNOWN, None, 0
    if lineage:
        release, stats, part = lineage[-1]
        text += f"; {stats.calls:,} in release {release.name[:12]}, the last in which it ran"
        status, site, last = Status.SILENT, Site(function=name, file=stats.file, line=stats.line), part.end_unix_ns
    else:
        text += ", nor in the releases before it; " + _of_its_module(name, names)
    return FunctionView.model_validate(
        {
            **mine,
            "status": status,
            "site": site,
            "no_data": (text, *notes),
            "nearest": () if lineage else nearest(name, names),
            "confidence": _confidence(profile, None, last),
        }
    )


def _of_its_module(name: str, names: Sequence[str]) -> str:
    """What its module's other functions tell: whether it is observed at all."""
    module = name.partition(":")[0]
    others = sum(other.partition(":")[0] == module for other in names)
    if others:
        return f"{others} other functions of {module} ran, so the module is observed"
    return f"no function of {module} ran: it was not used, or it is not observed"


def ago(hours: float) -> str:
    """`3.2 days`, `5 h`."""
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
