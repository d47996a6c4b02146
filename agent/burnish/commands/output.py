"""How every command prints: a table or text for people, JSON for programs."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from pydantic import BaseModel
from rich.console import Console, RenderableType

PIPED_WIDTH = 180
"""Columns of a table that goes to a file or a pipe."""


def output(args: Namespace, data: object, text: RenderableType) -> None:
    """Prints `data` with `--json`, else `text`."""
    if args.json:
        print(json.dumps(_plain(data), indent=2, ensure_ascii=False))
    else:
        terminal = Console()
        console = terminal if terminal.is_terminal else Console(width=PIPED_WIDTH)
        console.print(text, highlight=False, markup=False)


def _plain(data: object) -> Any:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data
