"""The example services under bounded load with the sensor; what is left is a configuration that `burnish` reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from evals.demo.scene import GIT, REPOSITORY, SERVICE, Databases, DemoError, Scene, on_postgres, on_sqlite
from evals.services.ledger import serve

USERS = 4
MOST_SECONDS = 240
"""In which the requests have to be answered."""
SHOP, LEDGER = "shop", "ledger"
Say = Callable[[str], None]
CONFIG = """[service]
name = "ledger"
repository = "origin.git"
database = "{database}"

[runtime]
database = "runtime.sqlite3"
windows = "windows"

[forge]
kind = "local"
"""


class StageError(Exception):
    """A service could not be prepared, served or loaded; the message says which step."""


@dataclass(frozen=True)
class Staged:
    """A service that has been observed."""

    config: Path
    answers: Path
    code: Path


def shop(directory: Path, stack: ExitStack, say: Say, *, requests: int, seed: int, database: str) -> Staged:
    """The Django shop, with the demo's stage; without its loop. Its database lives until the stack is closed."""
    databases: Databases = on_postgres(stack, say) if database == "postgres" else on_sqlite(directory)
    try:
        scene = Scene.made(directory, databases, seed, say)
        scene.start()
        try:
            say(f"{requests:,} requests to the shop")
            _load(f"http://127.0.0.1:{scene.port}", SERVICE / "mix.toml", requests, seed)
        finally:
            scene.stop()
    except DemoError as error:
        raise StageError(str(error)) from error
    return Staged(scene.config, SERVICE / "ANSWERS.toml", SERVICE / "service")


def ledger(directory: Path, stack: ExitStack, say: Say, *, requests: int, seed: int) -> Staged:
    """The FastAPI ledger on a throw-away PostgreSQL server, which lives until the stack is closed."""
    from burnish.testing.postgres import Cluster, PostgresMissing

    directory.mkdir(parents=True, exist_ok=True)
    try:
        cluster = stack.enter_context(Cluster.started())
        cluster.create(LEDGER)
        url = cluster.url(LEDGER)
        say("tables and rows of the ledger")
        serve.prepare(url, seed=seed)
        with serve.serving(_observed(url, directory)) as address:
            say(f"{requests:,} requests to the ledger")
            _load(address, serve.MIX, requests, seed)
    except (PostgresMissing, serve.ServeError) as error:
        raise StageError(str(error)) from error
    subprocess.run([*GIT, "init", "--quiet", "--bare", str(directory / "origin.git")], check=True, timeout=60)
    config = directory / "burnish.toml"
    config.write_text(CONFIG.format(database=url), encoding="utf-8")
    return Staged(config, serve.FOLDER / "ANSWERS.toml", serve.SERVICE)


def _observed(url: str, directory: Path) -> serve.Serving:
    environment = {
        "PYTHONPATH": str(REPOSITORY / "sensor"),
        "BURNISH_SERVICE": LEDGER,
        "BURNISH_OUTPUT": str(directory / "windows"),
        "BURNISH_ROOT": str(serve.SERVICE),
        "BURNISH_WINDOW_SECONDS": "1",
    }
    return serve.Serving(
        url, directory / "service.log", workers=2, before=serve.with_sensor(sys.executable), environment=environment
    )


def _load(address: str, mix: Path, requests: int, seed: int) -> None:
    """The driver as a process of its own, so that it takes no time from this one's threads."""
    driver = [sys.executable, "-m", "evals.services.load", "--base-url", address, "--mix", str(mix)]
    driver += ["--max-requests", str(requests), "--seconds", str(MOST_SECONDS)]
    driver += ["--users", str(USERS), "--seed", str(seed)]
    done = subprocess.run(
        driver, cwd=REPOSITORY, capture_output=True, text=True, timeout=MOST_SECONDS + 60, check=False
    )
    if done.returncode:
        raise StageError(f"the load driver stopped ({done.returncode}): {done.stderr.strip()}")
