"""`burnish collect` as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.collector.support import SENT, Got


@dataclass
class Process:
    """A running one."""

    process: subprocess.Popen[str]
    port: int

    def ask(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST") -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(SENT if headers is None else headers))
            answer = connection.getresponse()
            return Got(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def health(self) -> Any:
        return self.ask("/healthz", method="GET").json

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Ends it; what it said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=30)
        return said


def configure(directory: Path, **settings: Any) -> None:
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    text = f'state = "state"\n[service]\nname = "shop"\nrepository = "."\n[collector]\n{lines}\n'
    (directory / "burnish.toml").write_text(text, encoding="utf-8")


def begin(directory: Path, *arguments: str, token: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "BURNISH_TOKEN": token}
    return subprocess.Popen(
        [sys.executable, "-m", "burnish", "collect", *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def serving(directory: Path, *, token: str = "", **settings: Any) -> Iterator[Process]:
    """A collector on a free port; killed at the end if it runs."""
    configure(directory, **settings)
    process = begin(directory, "--port", "0", token=token)
    watch = threading.Timer(60, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+) ", said)
        assert found, said + process.stdout.read()
        yield Process(process, int(found[1]))
    finally:
        watch.cancel()
        process.kill()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
