"""Prepares the ledger's database and serves it under uvicorn, on any Python that has service/requirements.txt.

    python -m evals.services.ledger.serve --database-url postgres://… [--prepare] [--scale 1.0] [--seed 1]
        [--port 0] [--workers 1] [--python …/bin/python] [--sensor]

Prints its URL when it answers, and serves until SIGINT or SIGTERM. A benchmark uses `prepare` and `serving`; what
stands before the command, as `python -m burnish_sensor --` or another tool's runner, is theirs to say.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SERVICE = FOLDER / "service"
MIX = FOLDER / "mix.toml"
SENSOR = ("-m", "burnish_sensor", "--")

START_S = 60.0
STOP_S = 10.0


class ServeError(Exception):
    """The service could not be prepared or started; the message says which step and shows the end of its log."""


@dataclass(frozen=True)
class Serving:
    """How to serve. `before` is put before `python -m uvicorn …`; `environment` is added to this process's own.

    `port` 0 takes a free one. `folder` is a checkout of the service. `log` gets what the processes print.
    """

    database_url: str
    log: Path
    python: str = sys.executable
    workers: int = 1
    port: int = 0
    before: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = SERVICE


def with_sensor(python: str = sys.executable) -> tuple[str, ...]:
    """What to put `before` so that the sensor observes the service; it must be importable there."""
    return (python, *SENSOR)


def prepare(database_url: str, python: str = sys.executable, scale: float = 1.0, seed: int = 1) -> None:
    """Create the tables in an empty database and fill them. Raises ServeError."""
    for command in (["ledger.migrate"], ["ledger.seed", "--seed", str(seed), "--scale", str(scale)]):
        done = subprocess.run(
            [python, "-m", *command],
            cwd=SERVICE,
            env=_environment(database_url, {}),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise ServeError(
                f"python -m {command[0]} failed ({done.returncode}): {(done.stderr or done.stdout)[-800:]}"
            )


@contextmanager
def serving(how: Serving) -> Iterator[str]:
    """The URL of the service, which answers; it is stopped at the end. Raises ServeError."""
    port = how.port or _free_port()
    command = [how.python, "-m", "uvicorn", "--factory", "ledger.main:create_app", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(how.workers), "--no-access-log", "--log-level", "warning"]
    with how.log.open("ab") as log:
        process = subprocess.Popen(
            [*how.before, *command],
            cwd=how.folder,
            env=_environment(how.database_url, how.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port, how.log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def _environment(database_url: str, added: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1", **added}


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:  # not yet listening, or it answers that it is not well
            time.sleep(0.1)
    raise ServeError(f"the ledger does not answer; {log} ends with:\n{log.read_text(errors='replace')[-800:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As a deployment does: SIGTERM to the server, which ends its workers; SIGKILL to all after ten seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--prepare", action="store_true", help="create and fill the tables first")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, choices=(1, 2, 3, 4), default=1)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--sensor", action="store_true", help="observe it with burnish_sensor")
    parser.add_argument("--log", type=Path, default=Path("ledger.log"))
    given = parser.parse_args()
    how = Serving(
        database_url=given.database_url,
        log=given.log,
        python=given.python,
        workers=given.workers,
        port=given.port,
        before=with_sensor(given.python) if given.sensor else (),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if given.prepare:
            prepare(given.database_url, given.python, given.scale, given.seed)
        with serving(how) as url:
            print(url, flush=True)
            signal.pause()
    except ServeError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
