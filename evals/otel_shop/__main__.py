"""The example shop, instrumented only by stock OpenTelemetry, through `burnish collect` to `burnish findings`.

    python -m evals.otel_shop [--database postgres] [--seconds 40]

Not a line of the shop knows of Burnish, and the sensor is not in its processes: gunicorn starts OpenTelemetry's Django,
sqlite3 and psycopg instrumentations, and the exporter sends to the port on which `burnish collect` listens.
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

from evals.demo.scene import REPOSITORY, SERVICE, WORKERS, DemoError, Scene, on_postgres, on_sqlite

CONFIGURATION = Path(__file__).with_name("gunicorn_conf.py")
EXPORT_MS = "1000"
"""An SDK exports every 5 s; a demonstration is short."""


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
        gunicorn = [sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{self.port}"]
        gunicorn += ["--access-logfile", str(self.directory / "access.log"), "--config", str(CONFIGURATION)]
        with (self.directory / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*gunicorn, "shop.wsgi"],
                cwd=self.checkout,
                env={**self.environment, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()


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


def load(scene: Scene, seconds: float) -> None:
    """Traffic, bounded in time and by the number of clients."""
    command = [sys.executable, str(SERVICE.parent / "load.py"), "--base-url", f"http://127.0.0.1:{scene.port}"]
    command += ["--mix", str(SERVICE / "mix.toml"), "--seconds", str(seconds), "--seed", str(scene.seed)]
    subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL, timeout=seconds + 60)


def main() -> int:
    """Runs it; the output is that of the commands a person would type."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--seconds", type=float, default=40.0, help="load")
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
        say(f"{args.seconds:.0f} s of load on the shop, which has OpenTelemetry in it and no sensor")
        load(scene, args.seconds)
        scene.stop()
        ended(process)
        for command in ("hotspots", "findings"):
            say(f"burnish {command}")
            asked = [sys.executable, "-m", "burnish", command, "--config", str(scene.config)]
            subprocess.run(asked, check=True, env={**os.environ, "COLUMNS": "160"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
