"""The command line: arguments in, exit code out. What each command does is in `burnish.commands`.

Exit codes: 0 done, 1 findings over the asked threshold or a proof that says no, 2 wrong use or configuration,
3 something outside failed and can be tried again.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from burnish import __version__
from burnish.errors import BurnishError

Add = Callable[..., argparse.ArgumentParser]
"""Adds a command: its name and what it does."""
NAME = "module:Qualified.name, or the end of one"


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="burnish",
        description="Watches what runs in production, proposes small proven fixes, measures each once it is deployed.",
        epilog="Exit codes: 0 done, 1 a proof or threshold says no, 2 wrong use or configuration, 3 try again later.",
    )
    top.add_argument("--version", action="version", version=f"burnish {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-c", "--config", type=Path, default=Path("burnish.toml"), help="default: ./burnish.toml")
    data = argparse.ArgumentParser(add_help=False, parents=[common])
    data.add_argument("--json", action="store_true", help="print JSON instead of a table")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, parent: argparse.ArgumentParser = data) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[parent])

    _working(add)
    _production(add)
    _desk(add)
    config = add("config", "check the configuration, or describe every setting")
    config.add_argument("what", choices=("check", "describe"))
    return top


def _working(add: Add) -> None:
    """What runs for long."""
    run = add("run", "run cycles on schedule, or one with --once")
    run.add_argument("--once", action="store_true", help="one cycle now, then exit (for cron)")
    run.add_argument(
        "--dry-run",
        choices=("scan", "verify", "full"),
        help="scan: detect and rank only; verify: also plan, edit and prove; full: also print what would be pushed",
    )
    collect = add("collect", "receive windows of sensors and OTLP by HTTP, until SIGTERM")
    collect.add_argument("--host", help="default: collector.host; other than this machine needs a token")
    collect.add_argument("--port", type=_port, help="default: collector.port (4318); 0 takes any that is free")


def _production(add: Add) -> None:
    """What production says."""
    hotspots = add("hotspots", "the functions where the time goes")
    hotspots.add_argument("--by", choices=("own", "wall", "calls", "queries", "errors"), default="own")
    hotspots.add_argument("--top", type=_positive, default=20, metavar="N")
    hotspots.add_argument("--release", help="default: the newest")
    statements = add("statements", "what PostgreSQL counts of every statement, and which functions send it")
    statements.add_argument("--unseen", action="store_true", help="only those that no function was seen to send")
    statements.add_argument("--top", type=_positive, default=20, metavar="N")
    statements.add_argument("--release", help="default: the newest")
    findings = add("findings", "what could be made cheaper, in the order of work, and what people should know")
    findings.add_argument("--kind", help="only findings of one detector, such as n_plus_one")
    findings.add_argument("--all", action="store_true", help="also what was passed over, and why")
    findings.add_argument("--release", help="default: the newest")
    function = add("function", "what to know of a function before touching it, on one screen")
    function.add_argument("name", help=NAME)
    function.add_argument("--release", help="default: the newest")
    function.add_argument(
        "--tokens", type=_positive, default=600, metavar="N", help="most that --json prints, as a model counts (600)"
    )
    releases = add("releases", "the releases that the data show, and what changed in each")
    releases.add_argument("--last", type=_positive, default=10, metavar="N", help="default: 10")
    deployed = add("deployed", "mark a release as deployed")
    deployed.add_argument("release", help="the commit or version that the sensor reports")
    deployed.add_argument("--at", default="", metavar="TIME", help="ISO 8601 or seconds since 1970; default: now")
    deployed.add_argument("--by", default="", metavar="NAME", help="who or what deployed it, such as ci")


def _desk(add: Add) -> None:
    """What was done about it, and what people say to it."""
    why = add("why", "why a function or job was or was not acted on")
    why.add_argument("name", metavar="FUNCTION|JOB", help=f"{NAME}; or a job's id")
    add("jobs", "every job and where it stands")
    show = add("show", "a job's pull request: evidence, proof, risk, prediction, comments")
    show.add_argument("job")
    approve = add("approve", "merge a job's pull request (local forge)")
    approve.add_argument("job")
    refuse = add("refuse", "close a job's pull request; it is not proposed again for this code (local forge)")
    refuse.add_argument("job")
    refuse.add_argument("--reason", default="", help="kept with the job, and counted")
    add("outcomes", "predicted against measured, for every merged fix")
    prove = add("prove", "run a job's proof again")
    prove.add_argument("job")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; a BurnishError becomes one line on stderr and its exit code."""
    arguments = parser().parse_args(argv)
    run = handler(arguments.command)
    collect_less()
    try:
        return run(arguments)
    except BurnishError as error:
        print(f"burnish: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("burnish: stopped; the next run goes on where this one was", file=sys.stderr)
        return 130


def collect_less() -> None:
    """Looks for garbage less often, for all of the process. A command makes very many values and keeps them until it
    ends: to look through them again and again for cycles took a sixth of the time of `burnish findings`."""
    gc.set_threshold(20_000, 20, 20)


def handler(command: str) -> Callable[[argparse.Namespace], int]:
    """The function that runs a command."""
    room = import_module("burnish.collecting" if command == "collect" else "burnish.commands")
    run: Callable[[argparse.Namespace], int] = getattr(room, command)
    return run


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
