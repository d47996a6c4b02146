"""What of a profile concerns one function: small enough to read at once."""

from __future__ import annotations

from burnish.profile import Profile


def excerpt(profile: Profile, function: str) -> Profile:
    """The same profile with the function, the functions that it calls, its entries, the statements that its calls ran
    and those it issues, and the other services that it calls itself. Nothing where the function was not seen, but the
    span and what was observed of the service in it."""
    stats = profile.function(function)
    entries = stats.entries if stats else {}
    return profile.model_copy(
        update={
            "functions": tuple(f for f in profile.functions if f.function == function or function in f.callers),
            "entries": tuple(e for e in profile.entries if e.entry in entries),
            "queries": tuple(q for q in profile.queries if q.site.function == function),
            "fan_outs": tuple(f for f in profile.fan_outs if f.function == function),
            "dependencies": tuple(d for d in profile.dependencies if d.site.function == function),
        }
    )
