"""`burnish hotspots`, `findings`, `function` and `releases`: what production says."""

from __future__ import annotations

from argparse import Namespace

from burnish import facts, views
from burnish.commands.lookup import app_of, named, profile_of, unknown
from burnish.commands.output import output
from burnish.errors import UsageError


def hotspots(args: Namespace) -> int:
    """`burnish hotspots`."""
    profile = profile_of(app_of(args), args.release)
    rows = facts.hot_rows(profile, args.by)[: args.top]
    output(args, rows, views.hotspots(rows, profile))
    return 0


def findings(args: Namespace) -> int:
    """`burnish findings`: candidates, what is only told and, with --all, what was passed over."""
    app = app_of(args)
    profile_of(app, args.release)
    ranking = app.world.assess(args.release)
    assert ranking is not None
    kind: str | None = args.kind
    if kind is not None:
        known = sorted({detector.name for detector in app.detectors})
        if kind not in known:
            raise UsageError(f"no detector is named {kind!r}; there are {', '.join(known)}")
    candidates = [c for c in ranking.candidates if kind in (None, c.finding.kind)]
    told = [t for t in ranking.told if kind in (None, t.finding.kind)]
    passed = [p for p in ranking.passed if kind in (None, p.kind, p.by)]
    table = views.findings(candidates, told, passed if args.all else ())
    output(args, facts.finding_facts(candidates, told, passed), table)
    return 0


def function(args: Namespace) -> int:
    """`burnish function NAME`."""
    app = app_of(args)
    profile = profile_of(app, None)
    profiles = [p for r in app.runtime.releases() if (p := app.runtime.profile(r.name)) is not None]
    name = named(args.name, sorted({f.function for p in profiles for f in p.functions}))
    if name is None:
        raise UsageError(unknown(args.name, profile))
    seen = [fact for p in profiles if (fact := facts.function_facts(name, p))]
    output(args, seen, views.function(name, seen))
    return 0


def releases(args: Namespace) -> int:
    """`burnish releases`."""
    app = app_of(args)
    profile_of(app, None)
    seen = app.runtime.releases()
    output(args, list(seen), views.releases(seen))
    return 0
