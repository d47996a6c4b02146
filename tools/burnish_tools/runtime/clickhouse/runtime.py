"""The function-level dataset of one service in ClickHouse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from burnish.conditions import Sample
from burnish.excerpt import excerpt
from burnish.profile import Deployment, FunctionStats, Profile, Release, Series, Stretch
from burnish_tools.runtime.clickhouse import profiles, samples, series
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.intake import Intake
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.spool import Spool
from burnish_tools.runtime.store import Taken


class ClickHouseRuntime:
    """Satisfies `burnish.protocols.Runtime`. `add` takes in what `refresh` finds in the directory `spool`."""

    def __init__(
        self,
        connection: Connection,
        service: str,
        environment: str,
        add: Callable[[Sequence[Window]], Taken],
        spool: Path | None = None,
    ) -> None:
        self.service, self.environment = service, environment
        self._connection = connection
        self._owner = {"service": service, "environment": environment}
        self._intake = Intake(connection, Spool(spool), add) if spool else None

    def refresh(self) -> int:
        """Takes in what the spool holds beyond the last time; returns how many windows were new. What collectors take
        in is there without it."""
        return self._intake.refresh() if self._intake else 0

    def releases(self) -> Sequence[Release]:
        """All releases seen, oldest first."""
        return series.releases(self._connection, self._owner)

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """The merged profile of the windows that began at or after `since_unix_ns`; None where there is none.

        It begins at the next full minute, and where minutes were dropped at the next full hour. Of very many functions
        it has those that cost most, `dropped` says how many it has not; asked by name it knows them all.
        """
        if release is None:
            releases = self.releases()
            if not releases:
                return None
            release = releases[-1].name
        return profiles.read(self._connection, self._released(release), since_unix_ns)

    def _released(self, release: str) -> dict[str, str]:
        return {**self._owner, "release": release}

    def excerpt(self, function: str, release: str | None = None) -> Profile | None:
        """What of the profile concerns one function; None where there is no window."""
        found = self.profile(release)
        return excerpt(found, function) if found is not None else None

    def series(self, function: str, release: str) -> Series:
        """The function window by window, oldest first; empty where it was not seen."""
        points = series.points(self._connection, self._released(release), function) if function else ()
        return Series(function=function, release=release, points=points)

    def entry_series(self, release: str) -> Series:
        """All entries window by window, oldest first; empty where the release was not seen."""
        points = series.points(self._connection, self._released(release), "")
        return Series(function="", release=release, points=points)

    def history(
        self, level: str, *, since_unix_ns: int = 0, functions: Collection[str] | None = None
    ) -> Sequence[Stretch]:
        """Sums by `hour` or `day` over all releases, oldest first."""
        return series.history(self._connection, self._owner, level, since_unix_ns, functions)

    def span(
        self, function: str, start_unix_ns: int, end_unix_ns: int, *, release: str | None = None
    ) -> Mapping[str, FunctionStats]:
        """The function by entry, out of the hours that begin from `start_unix_ns` on and before `end_unix_ns`."""
        return profiles.by_entry(self._connection, self._owner, release, function, (start_unix_ns, end_unix_ns))

    def samples(self, function: str, release: str, *, since_unix_ns: int = 0) -> Sequence[Sample]:
        """What was looked at of a function's calls, window by window, oldest first."""
        return samples.read(self._connection, self._released(release), function, since_unix_ns)

    def deployments(self) -> Sequence[Deployment]:
        """What was marked as deployed, oldest first."""
        return series.deployments(self._connection, self._owner)
