"""`python -m evals.demo`: what scripts/demo runs. Every number that it prints is measured in this run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from evals.demo.loop import Loop, NotConfirmed
from evals.demo.scene import DemoError, Scene, on_postgres, on_sqlite
from evals.demo.story import Story


def parser() -> argparse.ArgumentParser:
    """The options of scripts/demo."""
    options = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--wait", action="store_true", help="leave the approval of each pull request to you")
    options.add_argument("--fixes", type=int, choices=range(1, 8), default=3, help="how many to merge and judge")
    options.add_argument("--seed", type=int, default=7, help="of the data and the load")
    options.add_argument("--seconds", type=float, default=18.0, help="load after each deployment")
    options.add_argument("--directory", type=Path, default=Path(".burnish-demo"), help="made anew; kept afterwards")
    return options


def main() -> int:
    """Runs the demo; 0 when every merged fix was confirmed."""
    args = parser().parse_args()
    started = time.monotonic()
    say: Callable[[str], None] = lambda text: print(f"[{time.monotonic() - started:5.0f} s] {text}", flush=True)  # noqa: E731
    try:
        with ExitStack() as stack:
            database = on_postgres(stack, say) if args.database == "postgres" else on_sqlite(args.directory)
            scene = Scene.made(args.directory.resolve(), database, args.seed, say)
            story = Story()
            stack.callback(scene.stop)
            try:
                Loop(scene, story, say, wait=args.wait, seconds=args.seconds).run(args.fixes)
            finally:
                story.write(scene.directory / "report.html")
            story.tell(scene)
    except NotConfirmed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return 130
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
