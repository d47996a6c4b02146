"""Runs the harness inside the service's environment: one process, one question, one answer."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.job import Check
from burnish.settings import ServiceSettings
from burnish.why import Why
from burnish_tools.proof import harness, hosts
from burnish_tools.proof.sandbox import Conversation, Run, Sandbox

PACKAGE = "burnish_harness"


class Refused(Exception):
    """A check said no; carries it. Raised and caught inside the proof."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.summary)
        self.check = check


def refusal(name: str, why: Why, summary: str, detail: Sequence[str] = ()) -> Refused:
    """A failed check, ready to be raised."""
    return Refused(Check(name=name, passed=False, summary=summary, why=why, detail=tuple(detail)))


@dataclass(frozen=True)
class Arm:
    """One side of the comparison: a tree and the database that it works on."""

    name: str
    root: Path
    """Application root of the exported tree."""
    database: str


@dataclass(frozen=True)
class Service:
    """How a process of the service is started in the sandbox."""

    settings: ServiceSettings
    sandbox: Sandbox

    @property
    def python(self) -> str:
        """The interpreter that has the service's dependencies."""
        return self.settings.python or sys.executable

    def run(self, arm: Arm, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
        """`python ARGUMENTS` in the arm's tree, with the arm's database."""
        return self.sandbox.run([self.python, *arguments], arm.root, {**self._own(arm), **(environment or {})})

    def conversation(
        self, arm: Arm, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> AbstractContextManager[Conversation]:
        """The same for a command that is spoken to."""
        return self.sandbox.conversation([self.python, *arguments], arm.root, {**self._own(arm), **environment})

    def variables(self, arm: Arm) -> dict[str, str]:
        """How the service is told its database."""
        return {self.settings.database_variable: arm.database}

    def _own(self, arm: Arm) -> dict[str, str]:
        module = self.known(arm).settings
        return {**self.variables(arm), **({"DJANGO_SETTINGS_MODULE": module} if module else {})}

    def started(self, arm: Arm) -> hosts.Started:
        """How the harness starts it. Raises Refused where that cannot be told."""
        try:
            return hosts.started(self.settings, arm.root)
        except hosts.Unknown as unknown:
            raise refusal("replay", Why.REPLAY_FAILED, str(unknown)) from None

    def known(self, arm: Arm) -> hosts.Started:
        """The same; where it cannot be told, as plain Python."""
        try:
            return hosts.started(self.settings, arm.root)
        except hosts.Unknown:
            return hosts.Started("none")

    def compile(self, arm: Arm) -> None:
        """Byte-compiles the tree, so that fresh processes start as quickly as in production."""
        self.run(arm, ["-m", "compileall", "-q", "-j", "0", "."], {"PYTHONDONTWRITEBYTECODE": ""})


class Timed:
    """A `cost.Process`: the harness in mode `cost`, in a process that nobody has used before."""

    def __init__(self, conversation: Conversation, explain: Callable[[Run], dict[str, Any]]) -> None:
        self._conversation = conversation
        self._explain = explain

    def send(self, request: int) -> tuple[int, list[int]]:
        """Wall time of one request and of the calls in it, ns. Raises Refused where the process has ended."""
        told = self._ask(str(request))
        return told["wall"], told["calls"]

    def peak_kb(self) -> int:
        """Peak memory so far, kB."""
        return int(self._ask("peak")["peak_kb"])

    def _ask(self, question: str) -> dict[str, Any]:
        line = self._conversation.ask(question)
        if line is None:
            self._explain(self._conversation.ended())
            raise refusal("replay", Why.REPLAY_FAILED, "A measuring process ended too early.")
        told: dict[str, Any] = json.loads(line)
        return told


class Harness:
    """Asks the harness; `ask` returns its answer or raises Refused."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service = service
        self._seed = seed
        self._asked_so_far = 0
        self._folder = service.sandbox.folder / "harness"
        source = Path(harness.__file__).parent
        shutil.copytree(source, self._folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        arm = Arm("harness", self._folder, "")
        service.sandbox.run([service.python, "-m", "compileall", "-q", "."], arm.root, {"PYTHONDONTWRITEBYTECODE": ""})

    @property
    def variables(self) -> dict[str, str]:
        """With these a process of the service finds the harness, beside what it is configured to find."""
        configured = self._service.sandbox.environment.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, (str(self._folder), configured)))}

    def file(self, name: str) -> Path:
        """A place beside the harness, for what its processes read and write."""
        return self._folder / name

    def ask(self, arm: Arm, mode: str, hash_seed: int = 0, **job: Any) -> dict[str, Any]:
        """One fresh process; the check that fails on trouble is called `replay`."""
        question, answer = self._asked(arm, mode, job)
        variables = {**self.variables, "PYTHONHASHSEED": str(hash_seed)}
        run = self._service.run(arm, ["-m", PACKAGE, str(question)], variables)
        return self._checked(run, answer, arm)

    @contextlib.contextmanager
    def process(self, arm: Arm, mode: str, **job: Any) -> Iterator[Timed]:
        """A fresh process for measuring; it starts in the background."""
        question, answer = self._asked(arm, mode, job)
        command = ["-m", PACKAGE, str(question)]
        with self._service.conversation(arm, command, self.variables) as conversation:
            yield Timed(conversation, lambda run: self._checked(run, answer, arm))

    def _asked(self, arm: Arm, mode: str, job: Mapping[str, Any]) -> tuple[Path, Path]:
        """Writes the question; returns its file and the one for the answer."""
        self._asked_so_far += 1
        name = f"{self._asked_so_far}-{arm.name}-{mode}"
        question, answer = self._folder / f"{name}.json", self._folder / f"{name}-answer.json"
        service = job.get("service") or self._service.started(arm).told()
        text = json.dumps({"mode": mode, "answer": str(answer), "seed": self._seed, **job, "service": service})
        question.write_text(text, "utf-8")
        return question, answer

    def _checked(self, run: Run, answer: Path, arm: Arm) -> dict[str, Any]:
        if run.timed_out:
            limit = f"{self._service.sandbox.timeout_seconds:g} s"
            summary = f"The replay of the {arm.name} code was killed after {limit} ([proof] timeout_seconds)."
            raise refusal("replay", Why.REPLAY_FAILED, summary, run.tail())
        try:
            told: dict[str, Any] = json.loads(answer.read_text("utf-8"))
        except (OSError, ValueError):
            summary = f"The {arm.name} code ended with code {run.code} and without an answer."
            raise refusal("replay", Why.REPLAY_FAILED, summary, run.tail()) from None
        if told["ok"]:
            return told
        if told["problem"] == "function":
            raise refusal("replay", Why.NOT_REACHED, f"In the {arm.name} code {told['error']}.")
        lines = [line for line in told["error"].splitlines() if line.strip()][-8:]
        raise refusal("replay", Why.REPLAY_FAILED, f"The {arm.name} code could not be replayed: {lines[-1]}", lines)
