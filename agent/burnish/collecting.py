"""`burnish collect`: the collector in the foreground, until SIGTERM or SIGINT."""

from __future__ import annotations

import json
import logging
import sys
from argparse import Namespace

from burnish.app import App


def collect(args: Namespace) -> int:
    """Says one line when it listens, then one for each kind of problem (stderr)."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    app = App(args.config)

    def listens(url: str) -> None:
        told = {"listening": url, "database": str(app.path(app.config.runtime.database))}
        line = json.dumps(told) if args.json else f"burnish: collecting on {url} into {told['database']}"
        print(line, flush=True)

    app.collector(args.host, args.port).run(listens)
    return 0
