"""The example shop, instrumented only by stock OpenTelemetry, through `burnish collect` to `burnish findings`.

    python -m evals.otel_shop [--database postgres] [--requests 5000]

Not a line of the shop knows of Burnish, and the sensor is not in its processes: gunicorn starts OpenTelemetry's Django,
sqlite3 and psycopg instrumentations, and the exporter sends to the port on which `burnish collect` listens. At the end
the findings are held against what is planted in the shop (`score.py`). Exit status: 0 where every planted problem that
spans can show is found and no decoy is among the first ten findings, else 1.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from burnish.app import App
from evals.demo.scene import REPOSITORY, SERVICE, DemoError, Scene, on_postgres, on_sqlite
from evals.otel_shop.score import Seen, scored
from evals.scoreboard.__main__ import tell
from evals.scoreboard.score import Score

CONFIGURATION = Path(__file__).with_name("gunicorn_conf.py")
EXPORT_MS = "1000"
"""An SDK exports every 5 s; a demonstration is short."""
REQUESTS = 5000
"""As many as the scoreboard sends: the rarest planted problem is one request in seventy."""
MOST_SECONDS = 240


class OtelScene(Scene):
    """The shop in its repository, under OpenTelemetry; `endpoint` is where its data go."""

    endpoint = ""

    def start(self) -> None:
        """Starts the service."""
        told = f"service.version={self._git('rev-parse', 'HEAD', cwd=self.checkout)}"
        variables = {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": told,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_BSP_SCHEDULE_DELAY": EXPORT_MS,
        }
        self._serve(variables, options=("--config", str(CONFIGURATION)))


def collector(scene: OtelScene) -> subprocess.Popen[str]:
    """Starts `burnish collect` on a free port and tells the scene which. Raises DemoError."""
    command = [sys.executable, "-m", "burnish", "collect", "--config", str(scene.config), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=scene.directory)
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            scene.endpoint = found[0]
            return process
    raise DemoError(f"burnish collect ended with {process.wait(10)}")


def ended(process: subprocess.Popen[str]) -> None:
    """Stops the collector; it stores everything first."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def load(scene: Scene, requests: int) -> None:
    """Traffic, bounded in number and time and by the number of clients."""
    command = [sys.executable, str(SERVICE.parent / "load.py"), "--base-url", f"http://127.0.0.1:{scene.port}"]
    command += ["--mix", str(SERVICE / "mix.toml"), "--seconds", str(MOST_SECONDS), "--seed", str(scene.seed)]
    command += ["--max-requests", str(requests)]
    subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL, timeout=MOST_SECONDS + 60)


def score(config: Path) -> Score:
    """Prints the findings against the answers; returns the score of all of them."""
    app = App(config)
    ranking = app.world.assess()
    if ranking is None:
        raise DemoError(f"{config.parent}: no window came; see service.log there")
    seen = Seen.read(SERVICE / "ANSWERS.toml")
    told = [one.finding for one in ranking.told]
    found = scored(seen, [one.finding for one in ranking.candidates], told, ranking.passed)
    tell("shop, by OpenTelemetry alone", found)
    print(f"  planted, and not to be seen in spans: {', '.join(seen.beyond)}")
    return found[-1]


def main() -> int:
    """Runs it; the output is that of the commands a person would type."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--requests", type=int, default=REQUESTS, help="in at most four minutes")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument(
        "--directory", type=Path, default=Path(".burnish-otel-shop"), help="made anew; kept afterwards"
    )
    args = options.parse_args()
    started = time.monotonic()
    say: Callable[[str], None] = lambda text: print(f"[{time.monotonic() - started:5.0f} s] {text}", flush=True)  # noqa: E731
    with ExitStack() as stack:
        database = on_postgres(stack, say) if args.database == "postgres" else on_sqlite(args.directory)
        base = Scene.made(args.directory.resolve(), database, args.seed, say)
        scene = OtelScene(base.directory, base.databases, base.seed, base.port, None, base.environment)
        stack.callback(scene.stop)
        process = collector(scene)
        stack.callback(ended, process)
        say(f"burnish collect listens on {scene.endpoint}")
        scene.start()
        say(f"{args.requests:,} requests to the shop, which has OpenTelemetry in it and no sensor")
        load(scene, args.requests)
        scene.stop()
        ended(process)
        for command in ("hotspots", "findings"):
            say(f"burnish {command}")
            asked = [sys.executable, "-m", "burnish", command, "--config", str(scene.config)]
            subprocess.run(asked, check=True, env={**os.environ, "COLUMNS": "160"})
        return 1 if score(scene.config).failed else 0


if __name__ == "__main__":
    sys.exit(main())
