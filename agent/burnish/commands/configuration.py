"""`burnish config`: check the configuration, or describe every setting."""

from __future__ import annotations

from argparse import Namespace

from burnish import views
from burnish.app import config_type
from burnish.commands.lookup import app_of
from burnish.commands.output import output
from burnish.configfile import described


def config(args: Namespace) -> int:
    """`burnish config check|describe`."""
    if args.what == "describe":
        rows = [
            {"section": section, "key": key, "default": str(default), "meaning": text}
            for section, key, default, text in described(config_type())
        ]
        output(args, rows, views.settings(rows))
        return 0
    loaded = app_of(args).config
    output(args, loaded, f"{args.config}: valid")
    return 0
