"""What a release is, as the data show it: in which order they came, which ran side by side, who marked them.

    a  ████████████████████████▒▒▒
    b                       ▒▒▒████████████████████    b took over from a while both ran: a rolling deployment
    c                               ▒▒▒▒                c ran beside b, and b outlived it: a canary, or rolled back

Releases are ordered by their first window and never by name; nothing but windows is needed to notice one. A marker
(`POST /v1/deployments`, `burnish deployed`) adds when it went out and who said so; git adds what contains what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from burnish.finding import Model
from burnish.identity import lineage
from burnish.profile import Deployment, FunctionStats, Release

Contains = Callable[[str, str], bool]
"""`Workspace.contains(release, commit)`."""


class Seen(Model):
    """A release and what is known of it."""

    release: Release
    marker: Deployment | None = None
    """The first deployment that was marked for it."""
    beside: tuple[str, ...] = ()
    """Releases that ran at the same time, in order of their first window."""
    outlived_by: str = ""
    """An earlier release that ran longer than this one: it was a canary, or was rolled back."""
    in_base: bool | None = None
    """Whether the base branch contains it; None where git does not know it, or was not asked."""


class Changes(Model):
    """Functions of a release against the one before it. What was not called cannot be told from what is gone."""

    before: str
    new: tuple[str, ...]
    removed: tuple[str, ...]
    """Called in the release before, and not in this one."""
    changed: tuple[str, ...]
    """Another body under the same name."""
    renamed: Mapping[str, str]
    """Earlier name by name, for those whose body moved."""


def in_order(releases: Iterable[Release]) -> list[Release]:
    """By first window; two that began in the same nanosecond by how long they ran, then by name."""
    return sorted(releases, key=lambda r: (r.first_unix_ns, r.last_unix_ns, r.name))


def overlap_ns(one: Release, two: Release) -> int:
    """How long both ran; 0 where one ended before the other began."""
    return max(0, min(one.last_unix_ns, two.last_unix_ns) - max(one.first_unix_ns, two.first_unix_ns))


def seen(
    releases: Iterable[Release],
    deployments: Sequence[Deployment] = (),
    contains: Contains | None = None,
    base: str = "",
) -> tuple[Seen, ...]:
    """All releases in order. `contains` and `base` (a commit) tell what git knows."""
    ordered = in_order(releases)
    markers: dict[str, Deployment] = {}
    for deployment in sorted(deployments, key=lambda d: d.unix_ns):
        markers.setdefault(deployment.release, deployment)
    return tuple(
        Seen(
            release=one,
            marker=markers.get(one.name),
            beside=tuple(other.name for other in ordered if other is not one and overlap_ns(one, other)),
            outlived_by=next((e.name for e in reversed(ordered[:i]) if e.last_unix_ns > one.last_unix_ns), ""),
            in_base=_in_base(one.name, base, contains),
        )
        for i, one in enumerate(ordered)
    )


def unseen(releases: Iterable[Release], deployments: Iterable[Deployment]) -> tuple[Deployment, ...]:
    """Deployments that were marked and of which no window has arrived."""
    names = {one.name for one in releases}
    return tuple(d for d in deployments if d.release not in names)


def changes(before: str, old: Sequence[FunctionStats], new: Sequence[FunctionStats]) -> Changes:
    """What the functions of two adjacent releases say; `before` is the name of the earlier one."""
    was, now = ({f.function: f.body for f in functions} for functions in (old, new))
    renamed = {name: names[0] for name, names in lineage([old, new]).items()}
    return Changes(
        before=before,
        new=tuple(sorted(now.keys() - was.keys() - renamed.keys())),
        removed=tuple(sorted(was.keys() - now.keys() - set(renamed.values()))),
        changed=tuple(sorted(f for f in now.keys() & was.keys() if now[f] and was[f] and now[f] != was[f])),
        renamed=renamed,
    )


def _in_base(release: str, base: str, contains: Contains | None) -> bool | None:
    """A release that git knows contains itself."""
    if contains is None or not base:
        return None
    if contains(base, release):
        return True
    return False if contains(release, release) else None
