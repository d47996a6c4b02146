"""Parts of the benchmark that need no other Python."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from evals.bench.sensor import __main__ as command
from evals.bench.sensor import environments, flush, generated, programs, services, sink
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.processes import Server, free_port, tree

LISTEN = (
    "import http.server as h, sys; "
    "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
)


def test_a_generated_project_is_the_same_for_a_seed_and_runs(tmp_path: Path) -> None:
    names = generated.project(tmp_path / "one", 4, 20, 1)
    generated.project(tmp_path / "two", 4, 20, 1)
    texts = [sorted(p.read_text() for p in (tmp_path / n).rglob("*.py")) for n in ("one", "two")]
    assert texts[0] == texts[1]
    assert sum(text.count("def ") for text in texts[0]) == 80
    code = f"import {names[0]} as m; print([f(3) for n, f in vars(m).items() if n.startswith('function')])"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path / "one", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[")


def test_a_servers_time_and_children_are_counted_and_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    words = ["sh", "-c", f'"{sys.executable}" -c "{LISTEN}" {port} & wait']
    server = Server(words, tmp_path, {"PATH": "/usr/bin:/bin"}, port, "/", tmp_path / "log")
    try:
        pids = tree(server._process.pid)
        before = server.cpu_ns()
        for _ in range(20):
            urllib.request.urlopen(server.url + "/").read()
        assert len(pids) == 2
        assert server.cpu_ns() > before > 0
    finally:
        server.stop()
    assert server._process.poll() is not None
    assert server.cpu_ns() == 0


def test_a_server_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "raise SystemExit('no such module')"]
    with pytest.raises(DoesNotRun, match="no such module"):
        Server(words, tmp_path, {}, free_port(), "/", tmp_path / "log")


def test_the_sink_takes_whatever_it_is_sent() -> None:
    with sink.served() as url:
        for data in (None, b"x" * 10_000):
            with urllib.request.urlopen(urllib.request.Request(url + "/v1/traces", data=data)) as answer:
                assert answer.status == 200


def test_flush_reads_the_numbers_of_the_last_line() -> None:
    assert flush.numbers('said\n{"longest_gap_ms": 3.5, "functions": 20000, "python": "3.12"}\n') == {
        "longest_gap_ms": 3.5,
        "functions": 20_000.0,
    }
    for output in ("", "said", "[1]"):
        with pytest.raises(BenchError, match="last line"):
            flush.numbers(output)


@pytest.mark.parametrize("choose", [programs.chosen, services.chosen])
def test_an_unknown_name_is_refused_with_those_there_are(choose: object) -> None:
    with pytest.raises(BenchError, match="nothing: there are"):
        choose(["nothing"])  # type: ignore[operator]


def test_an_unknown_part_or_python_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "speed"]) == 2
    assert "--only speed: there are web, cpu" in capsys.readouterr().err
    assert command.main(["--only", "memory", "--pythons", "2.9", "--cache", str(tmp_path)]) == 2
    assert "Python 2.9 is neither on PATH nor" in capsys.readouterr().err


def test_processes_get_none_of_the_shells_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_BUDGET", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    made = environments.Environment("3.12", Path("/venv/bin/python")).environ({"BURNISH_ROOT": "/app"})
    assert made["BURNISH_ROOT"] == "/app"
    assert made["PATH"].startswith("/venv/bin:")
    assert not {"BURNISH_BUDGET", "PYTHONPATH"} & set(made)
