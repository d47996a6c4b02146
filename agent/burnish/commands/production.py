"""`burnish hotspots`, `statements`, `findings` and `function`: what production says."""

from __future__ import annotations

import sys
from argparse import Namespace

from burnish import facts, views
from burnish.commands.lookup import app_of, known_names, last_report, named, part_of, profile_of
from burnish.commands.output import output
from burnish.errors import UsageError
from burnish.function_facts import function_json
from burnish.function_model import Status
from burnish.function_text import function_text
from burnish.function_view import function_view
from burnish.statements import chosen
from burnish.tokens import as_json


def hotspots(args: Namespace) -> int:
    """`burnish hotspots`. With `--json` what was not looked at goes to stderr: the rows are a list."""
    profile = profile_of(app_of(args), args.release)
    rows = facts.hot_rows(profile, args.by)[: args.top]
    output(args, rows, views.hotspots(rows, profile))
    if args.json and profile.left_out:
        print(facts.left_out_sentence(profile), file=sys.stderr)
    return 0


def statements(args: Namespace) -> int:
    """`burnish statements`: the database's own count, joined with the dataset."""
    app = app_of(args)
    counted = app.server_statements(profile_of(app, args.release))
    rows = chosen(counted, unseen=args.unseen, top=args.top)
    output(args, [row.model_dump() for row in rows], views.server_statements(rows, counted))
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
    table = views.findings(candidates, told, passed if args.all else (), ranking.profile)
    output(args, facts.finding_facts(candidates, told, passed, ranking.profile), table)
    return 0


def function(args: Namespace) -> int:
    """`burnish function NAME`: 2 where the name never ran."""
    app = app_of(args)
    known = part_of(app, args.name, args.release)
    name, names = args.name, list[str]()
    if known.function(name) is None:  # the end of a name, an older release's, or nothing: all names are wanted
        names = known_names(app)
        name = named(name, names) or name
        known = part_of(app, name, args.release)
    report = last_report(app)
    found = [*(c.finding for c in report.candidates), *(t.finding for t in report.told)]
    view = function_view(name, app.runtime, known, found, app.store.jobs(), now=app.clock.now(), names=names)
    if view.status is Status.UNKNOWN and not args.json:
        near = f"; did you mean {', '.join(view.nearest)}?" if view.nearest else ""
        raise UsageError(f"no function {name!r} in the data: {view.no_data[0]}{near}")
    print(as_json(function_json(view, args.tokens)) if args.json else function_text(view))  # counted as one line
    return UsageError.exit_code if view.status is Status.UNKNOWN else 0
