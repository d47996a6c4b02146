"""Error-prone functions: calls that raise, and fail the entry above them.

Definition: the share of a function's calls that raise an exception of one type, lower end of its interval by Wilson.
An exception passes through all functions up to whoever catches it; it counts for the innermost that raised it, and only
if it gets out:

    GET orders/          answers 500: KeyError × 40      ◀── it is not caught
    └─ order_list()      KeyError × 40                       passes it on
       └─ parse_filter() KeyError × 40 of 2,000 calls   ◀── raises it: 2 % (1.5–2.7 %)
       └─ cached()       KeyError × 900                      caught by order_list(): control flow, no error

Whether it gets out is told by the errors of the entries that reach the function: the same type, in at least half as
many calls. An exception that no entry ends with is control flow or handled, however often it is raised. Types that say
"not found" or "not allowed" to the client are answers, and left alone where an entry counts them as errors.

What is at stake is at least the time of the calls that fail: the fastest of the function, as it is not known which they
are. It informs: what should happen instead of the error is for people to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.stats import wilson
from burnish.why import Why
from burnish_tools.detectors._lowest import lowest_ns
from burnish_tools.detectors._measure import finding
from burnish_tools.detectors._text import share

_MOST = 0.5
"""Part of a function's errors that has to be explained (by those below it, by those that get out) to count as all."""


class _Raised(NamedTuple):
    function: FunctionStats
    kind: str
    errors: int


class ErrorProne:
    """Satisfies `burnish.protocols.Detector`."""

    name = "error_prone"

    class Settings(Section):
        """Error-prone functions."""

        min_calls: int = 100
        """Calls: with fewer, one failure is more than a percent."""
        min_errors: int = 10
        """Calls that raised the exception and got out: fewer may be one bad client."""
        min_share: float = 0.01
        """Share of calls that raise, lower end: services aim at far less than 1 % (99.9 % is a usual objective)."""
        answers: tuple[str, ...] = (
            "Http404",
            "NotFound",
            "DoesNotExist",
            "ObjectDoesNotExist",
            "PermissionDenied",
            "NotAuthenticated",
            "AuthenticationFailed",
            "ValidationError",
            "RequestValidationError",
            "BadRequest",
            "Forbidden",
            "Unauthorized",
            "TooManyRequests",
            "Throttled",
            "HTTPException",
            "ClientDisconnect",
            "CancelledError",
        )
        """Exceptions that tell a client that it asked for the wrong thing, or went away: no fault of the function."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function that raises often enough."""
        some = self.settings
        raising = {stats.function: stats for stats in profile.functions if stats.errors}
        failing = {entry.entry: entry.errors for entry in profile.entries if entry.errors}
        below = _below(raising)
        for stats in raising.values():
            found: list[tuple[_Raised, int]] = []
            for kind, errors in sorted(stats.errors.items()):
                raised = _Raised(stats, kind, errors)
                reason = self._against(raised, failing, below)
                if reason is None:
                    found.append((raised, min(errors, _got_out(raised, failing))))
                elif errors >= some.min_errors:
                    detail = f"{kind} in {errors} of {stats.calls} calls; {reason[1]}"
                    yield Passed(function=stats.function, by=self.name, why=reason[0], detail=detail)
            if found:
                yield self._finding(found, profile, runtime)

    def _against(
        self, raised: _Raised, failing: Mapping[str, Mapping[str, int]], below: Mapping[str, list[FunctionStats]]
    ) -> tuple[Why, str] | None:
        stats, kind, errors = raised
        if kind in self.settings.answers:
            return Why.NOT_WORTH_IT, "an answer to the client, no fault"
        got_out = _got_out(raised, failing)
        if got_out < _MOST * errors:
            return Why.NOT_WORTH_IT, f"it is caught above: the entries end with it {got_out} times"
        if stats.calls < self.settings.min_calls or min(errors, got_out) < self.settings.min_errors:
            return Why.NOT_ENOUGH_CALLS, f"{self.settings.min_calls} and {self.settings.min_errors} are needed"
        if wilson(errors, stats.calls).low < self.settings.min_share:
            return Why.WITHIN_NOISE, f"{share(wilson(errors, stats.calls))} of its calls"
        return _passed_on(raised, below.get(stats.function, ()))

    def _finding(self, found: list[tuple[_Raised, int]], profile: Profile, runtime: Runtime) -> Finding:
        stats = found[0][0].function
        errors = min(stats.calls, sum(raised.errors for raised, _ in found))
        seen = wilson(errors, stats.calls)
        notes = [
            f"{raised.kind} in {raised.errors} of {stats.calls} calls ({share(wilson(raised.errors, stats.calls))}); "
            f"entries that reach it ended with it at least {out} times."
            for raised, out in found
        ]
        evidence = Evidence(
            failure_share=seen, conditions=tuple(f"raises {raised.kind}" for raised, _ in found), notes=tuple(notes)
        )
        lost = lowest_ns(stats.wall, errors * seen.low / seen.value) / stats.calls
        told = finding(self.name, stats, profile, runtime, evidence, removable_ns=lost)
        return told.model_copy(update={"informs": True})


def _got_out(raised: _Raised, failing: Mapping[str, Mapping[str, int]]) -> int:
    """How often entries that reach the function ended with this type of exception."""
    return sum(failing[entry].get(raised.kind, 0) for entry in raised.function.entries if entry in failing)


def _passed_on(raised: _Raised, below: Iterable[FunctionStats]) -> tuple[Why, str] | None:
    inner = [one for one in below if one.errors.get(raised.kind)]
    passed_on = sum(_from(one, raised.function.function) * one.errors[raised.kind] for one in inner)
    if passed_on < _MOST * raised.errors:
        return None
    names = " and ".join(sorted(one.function for one in inner)[:3])
    return Why.DUPLICATE, f"it passes on what {names} raises"


def _below(raising: Mapping[str, FunctionStats]) -> dict[str, list[FunctionStats]]:
    """Raising functions by the raising function that calls them."""
    found: dict[str, list[FunctionStats]] = {}
    for stats in raising.values():
        for caller in stats.callers:
            if caller in raising and caller != stats.function:
                found.setdefault(caller, []).append(stats)
    return found


def _from(stats: FunctionStats, caller: str) -> float:
    """Part of a function's calls that come from one caller."""
    return stats.callers[caller] / max(1, sum(stats.callers.values()))
