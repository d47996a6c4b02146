"""`burnish collect` as a process: how it begins and ends, what it survives, and the real sensor as its client."""

from __future__ import annotations

import gzip
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.collector.serving import begin, configure, serving
from tests.tools.collector.support import SENT, line, stored

ROOT = Path(__file__).resolve().parents[3]


def packed(*lines: str) -> bytes:
    return gzip.compress("".join(lines).encode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_everything_written(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as running:
        assert running.ask("/v1/windows", packed(line(0))).json["accepted"] == 1
        said = running.stop(number)
        assert (said, running.process.returncode) == ("", 0)
    assert stored(tmp_path / ".burnish") == {("one", 0)}


def test_a_request_that_is_on_its_way_is_answered_before_the_end(tmp_path: Path) -> None:
    body = packed(line(0))
    with serving(tmp_path) as running, socket.create_connection(("127.0.0.1", running.port), 10) as client:
        head = "".join(f"{name}: {value}\r\n" for name, value in SENT.items())
        client.sendall(f"POST /v1/windows HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode())
        client.sendall(body[:10])
        while running.health()["queue"]["bytes"] == 0:
            time.sleep(0.01)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(body[10:])
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        running.process.wait(20)
    assert stored(tmp_path / ".burnish") == {("one", 0)}


def test_what_was_accepted_survives_a_kill_and_sent_again_counts_once(tmp_path: Path) -> None:
    acknowledged: set[tuple[str, int]] = set()
    sent: dict[str, int] = {}

    def post(name: str) -> None:
        for number in itertools.count():
            sent[name] = number
            body = packed(*(line(number * 3 + i, instance=name) for i in range(3)))
            try:
                if running.ask("/v1/windows", body).status == 200:
                    acknowledged.update((name, number * 3 + i) for i in range(3))
            except OSError:
                return

    with serving(tmp_path) as running:
        clients = [threading.Thread(target=post, args=(name,)) for name in ("a", "b", "c")]
        for client in clients:
            client.start()
        while len(acknowledged) < 60:
            time.sleep(0.01)
        running.kill()
        for client in clients:
            client.join(20)
    assert acknowledged <= stored(tmp_path / ".burnish")
    with serving(tmp_path) as running:
        for name, number in sent.items():  # the last of each was sent and not answered; those before it were
            body = packed(*(line(n, instance=name) for n in range(number * 3 + 3)))
            assert running.ask("/v1/windows", body).json["accepted"] == number * 3 + 3
        assert running.stop() == ""
    assert stored(tmp_path / ".burnish") == {(name, n) for name, number in sent.items() for n in range(number * 3 + 3)}


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def test_a_second_one_on_the_dataset_or_the_port_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    configure(other)
    with serving(tmp_path) as running:
        code, said = ended(begin(tmp_path, "--port", "0"))
        assert code == 3
        assert f"another collector (process {running.process.pid})" in said
        code, said = ended(begin(other, "--port", str(running.port)))
        assert code == 3
        assert f"127.0.0.1:{running.port}" in said
        assert "--port" in said
        assert running.health()["status"] == "ok"


@pytest.mark.parametrize(("host", "says"), [("0.0.0.0", "BURNISH_TOKEN"), ("::", "BURNISH_TOKEN"), ("no host", "host")])
def test_other_machines_need_a_token(tmp_path: Path, host: str, says: str) -> None:
    configure(tmp_path, host=host)
    code, said = ended(begin(tmp_path, "--port", "0"))
    assert (code, len(said.splitlines())) == (2, 1)
    assert says in said


def test_slow_clients_do_not_keep_others_out(tmp_path: Path) -> None:
    with serving(tmp_path, header_seconds=0.5, max_connections=4) as running:
        address = ("127.0.0.1", running.port)
        slow = [socket.create_connection(address, 10) for _ in range(4)]
        for client in slow:
            client.sendall(b"POST /v1/windows HTTP/1.1\r\nHost:")
        full = running.ask("/healthz", method="GET")
        assert (full.status, full.headers["retry-after"]) == (503, "5")
        for client in slow:
            with suppress(ConnectionResetError):
                assert client.recv(10) == b""  # closed after half a second
            client.close()
        assert running.ask("/v1/windows", packed(line(0))).status == 200


@pytest.mark.parametrize("token", ["", "s3cret"])
def test_windows_of_the_real_sensor_arrive(tmp_path: Path, token: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text(
        "import worker\nfor n in range(50):\n    worker.square(n)\nprint('done')\n", encoding="utf-8"
    )
    (app / "worker.py").write_text("def square(n):\n    return n * n\n", encoding="utf-8")
    with serving(tmp_path, token=token) as running:
        done = subprocess.run(
            [sys.executable, "-m", "burnish_sensor", "--", sys.executable, "main.py"],
            cwd=app,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "sensor"),
                "BURNISH_OUTPUT": f"http://127.0.0.1:{running.port}/v1/windows",
                "BURNISH_SERVICE": "shop",
                "BURNISH_RELEASE": "r1",
                "BURNISH_SPOOL": str(tmp_path / "spool"),
                "BURNISH_TOKEN": token,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "done\n", done.stderr
        assert running.health()["accepted"]["windows"] >= 1, done.stderr
        assert running.stop() == ""
    shown = subprocess.run(
        [sys.executable, "-m", "burnish", "hotspots", "--by", "calls"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "worker:square" in shown.stdout, shown.stderr
