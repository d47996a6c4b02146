"""A dataset that is told what production did: the fake of `burnish.protocols.Runtime`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from burnish.conditions import Sample
from burnish.excerpt import excerpt
from burnish.profile import Deployment, FunctionStats, Profile, Release, Series, Stretch


class MemoryRuntime:
    """Answers with the given values. Profiles come in the order of their releases' first windows.

    `arriving` are profiles that are not there yet: each `refresh` takes in one (a deployment, in a test of the loop).
    `history` and `spans` are given by level and by (function, start of the hour).
    """

    def __init__(
        self,
        profiles: Iterable[Profile] = (),
        series: Iterable[Series] = (),
        arriving: Iterable[Profile] = (),
        *,
        history: Mapping[str, Sequence[Stretch]] | None = None,
        spans: Mapping[tuple[str, int], Mapping[str, FunctionStats]] | None = None,
        samples: Mapping[tuple[str, str], Sequence[Sample]] | None = None,
        deployments: Sequence[Deployment] = (),
    ) -> None:
        self._history, self._spans, self._samples = history or {}, spans or {}, samples or {}
        self._deployments = deployments
        self._profiles = {profile.release: profile for profile in profiles}
        self._series = {(one.function, one.release): one for one in series}
        self._arriving = list(arriving)

    def refresh(self) -> int:
        """Takes in the next arriving profile; returns its windows."""
        if not self._arriving:
            return 0
        profile = self._arriving.pop(0)
        self._profiles[profile.release] = profile
        return profile.windows

    def releases(self) -> Sequence[Release]:
        """All releases seen, oldest first."""
        ordered = sorted(self._profiles.values(), key=lambda profile: (profile.start_unix_ns, profile.release))
        return [
            Release(
                name=profile.release,
                first_unix_ns=profile.start_unix_ns,
                last_unix_ns=profile.end_unix_ns,
                windows=profile.windows,
                calls=sum(entry.calls for entry in profile.entries),
            )
            for profile in ordered
        ]

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """The given profile as a whole; None where it ended before `since_unix_ns`."""
        releases = self.releases()
        if release is None and releases:
            release = releases[-1].name
        found = self._profiles.get(release or "")
        return found if found is not None and found.end_unix_ns > since_unix_ns else None

    def excerpt(self, function: str, release: str | None = None) -> Profile | None:
        """What of the given profile concerns the function."""
        found = self.profile(release)
        return excerpt(found, function) if found is not None else None

    def series(self, function: str, release: str) -> Series:
        """The given series; empty where there is none."""
        return self._series.get((function, release), Series(function=function, release=release, points=()))

    def entry_series(self, release: str) -> Series:
        """The series given with an empty function's name."""
        return self.series("", release)

    def history(
        self, level: str, *, since_unix_ns: int = 0, functions: Collection[str] | None = None
    ) -> Sequence[Stretch]:
        """Those given for the level."""
        wanted = self._history.get(level, ())
        return [
            one
            for one in wanted
            if one.start_unix_ns >= since_unix_ns and (functions is None or one.function in functions)
        ]

    def span(
        self, function: str, start_unix_ns: int, end_unix_ns: int, *, release: str | None = None
    ) -> Mapping[str, FunctionStats]:
        """The hours given, merged; a release is not told apart."""
        merged: dict[str, FunctionStats] = {}
        for (name, start), by_entry in sorted(self._spans.items()):
            if name == function and start_unix_ns <= start < end_unix_ns:
                for entry, stats in by_entry.items():
                    merged[entry] = merged[entry] + stats if entry in merged else stats
        return merged

    def samples(self, function: str, release: str, *, since_unix_ns: int = 0) -> Sequence[Sample]:
        """Those given."""
        return [one for one in self._samples.get((function, release), ()) if one.start_unix_ns >= since_unix_ns]

    def deployments(self) -> Sequence[Deployment]:
        """Those given."""
        return self._deployments
