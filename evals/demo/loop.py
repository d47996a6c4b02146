"""The loop, as a team would see it: load, cycle, approval, deployment, and again. Burnish runs as its own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.demo.scene import SERVICE, DemoError, Say, Scene, burnish_command, shown
from evals.demo.story import Load, Story

LOAD_DRIVER = SERVICE.parent / "load.py"
USERS = 4
WAIT_SECONDS = 1800
CONFIRMED = "confirmed"
REQUESTS = 700
"""After a deployment: findings need 30 calls of a function, and the rarest that the demo is about has 5 % of them."""


class NotConfirmed(Exception):
    """The loop ended with fewer confirmed fixes than were asked for."""


class Loop:
    """Runs Burnish on the scene until the fixes are merged and judged."""

    def __init__(self, scene: Scene, story: Story, say: Say, *, wait: bool, seconds: float) -> None:
        self.scene, self.story, self.say, self.wait, self.seconds = scene, story, say, wait, seconds

    def run(self, fixes: int) -> None:
        """Raises NotConfirmed when a merged fix is not confirmed or no further fix is found."""
        self.scene.start()
        self.say(f"production runs; {self.seconds:.0f} s of load on the first release")
        self.load("start")
        for number in range(1, fixes + 1):
            self.say(f"cycle {number}: what is worth doing now? (the load pauses: proofs would share its two cores)")
            self.cycle()
            job = self.opened()
            self.approve(job)
            release = self.scene.deploy()
            self.say(f"deployed {release[:12]}; {self.seconds:.0f} s of the same load")
            self.load(f"after fix {number}")
        self.say("last cycle: judges the last fix, starts nothing")
        self.cycle(BURNISH__LIMITS__MAX_NEW="0")
        self.judge(fixes)

    def load(self, name: str) -> None:
        """Bounded load from a second process; longer where the machine is so slow that too little would be seen."""
        load = self._drive(name, self.seconds)
        if load.requests < REQUESTS:
            more = min(3 * self.seconds, self.seconds * (REQUESTS / max(load.requests, 1) - 1) + 4)
            self.say(f"  {load.requests} requests are few: {more:.0f} s more on this machine")
            load = self._drive(name, more)
        self.story.loads.append(load)
        self.say(f"  {load.sentence}")

    def _drive(self, name: str, seconds: float) -> Load:
        result = self.scene.directory / "load.json"
        command = [sys.executable, str(LOAD_DRIVER), "--base-url", f"http://127.0.0.1:{self.scene.port}"]
        command += ["--mix", str(SERVICE / "mix.toml"), "--seconds", str(seconds), "--warmup", "3"]
        command += ["--users", str(USERS), "--seed", str(self.scene.seed), "--json", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        if done.returncode:
            raise DemoError(f"the load driver stopped ({done.returncode}): {done.stderr.strip()}")
        return Load.read(name, json.loads(result.read_text(encoding="utf-8")))

    def cycle(self, **environment: str) -> None:
        """`burnish run --once`, with its progress on this terminal."""
        status = self.burnish("run", "--once", environment=environment)
        if status not in (0, 3):
            raise DemoError(f"burnish run --once ended with {status}")

    def opened(self) -> dict[str, Any]:
        """The job that waits for approval."""
        waiting = [job for job in self.jobs() if job["state"] == "waiting" and job["step"] == "await_merge"]
        if not waiting:
            raise NotConfirmed("Burnish found no further fix that it could prove; `burnish jobs` says why")
        return waiting[0]

    def approve(self, job: dict[str, Any]) -> None:
        """The demo approves by itself and says so; with --wait a person does."""
        title = job["pull_request"]["title"]
        if not self.wait:
            self.say(f"approving by itself (--wait leaves it to you): {title}")
            if self.burnish("approve", job["id"]):
                raise DemoError(f"job {job['id']} could not be approved")
            return
        line = f"{burnish_command()} approve {job['id']} --config {shown(self.scene.config)}"
        self.say(f"waiting for you (at most {WAIT_SECONDS // 60} minutes): {title}\n    {line}")
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if self.state_of(job) == "merged":
                return
            time.sleep(2)
        raise NotConfirmed("nobody approved")

    def state_of(self, job: dict[str, Any]) -> str:
        """The pull request's state now."""
        from burnish.app import App

        return App(self.scene.config).forge.get(job["pull_request"]["number"]).state

    def jobs(self) -> list[dict[str, Any]]:
        """`burnish jobs --json`."""
        return list(json.loads(self.output("jobs", "--json")))

    def judge(self, fixes: int) -> None:
        """Takes the outcomes into the story and checks that each was confirmed."""
        self.story.outcomes = json.loads(self.output("outcomes", "--json"))
        self.story.read_queries(self.scene.config)
        confirmed = [o for o in self.story.outcomes if o["outcome"] == CONFIRMED]
        if len(confirmed) < fixes:
            self.story.tell(self.scene)
            others = [f"{o['function']}: {o['outcome']}" for o in self.story.outcomes if o not in confirmed]
            raise NotConfirmed(f"{len(confirmed)} of {fixes} fixes are confirmed ({', '.join(others) or 'no verdict'})")

    def burnish(self, *arguments: str, environment: dict[str, str] | None = None) -> int:
        """Burnish as its own process, as a team runs it."""
        return subprocess.run(
            self._command(arguments), env={**os.environ, **(environment or {})}, check=False
        ).returncode

    def output(self, *arguments: str) -> str:
        """What a command prints."""
        done = subprocess.run(self._command(arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoError(f"burnish {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "burnish", *arguments, "--config", str(Path(self.scene.config))]
