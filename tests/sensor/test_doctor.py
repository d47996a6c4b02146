from __future__ import annotations

import http.server
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.support import run, write


def findings(folder: Path, status: int, **environ: str) -> dict[str, dict[str, str]]:
    """The findings of the doctor by name; it must end with ``status``."""
    done = run(["-m", "burnish_sensor", "doctor", "--json"], folder, **environ)
    assert done.returncode == status, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] == (status == 0)
    return {finding["name"]: finding for finding in report["findings"]}


def problems(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: finding["problem"] for name, finding in found.items() if finding["problem"]}


def test_all_is_well(tmp_path: Path) -> None:
    write(tmp_path, app="", **{"env/x": ""})
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    environ = {"GIT_COMMIT": "abc", "BURNISH_SERVICE": "shop"}
    found = findings(tmp_path, 0, **environ)
    assert found["modules"]["value"] == "1 files to observe, 1 folders left out"
    assert found["release"]["value"] == "abc (from GIT_COMMIT)"
    assert found["service"]["value"] == "shop (from BURNISH_SERVICE)"
    assert "sqlite3" in found["stdlib"]["value"]
    assert found["cost"]["value"].endswith("are sampled")
    assert not (tmp_path / ".burnish").exists()


def test_each_problem_is_named_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = findings(
        tmp_path, 1, BURNISH_SENSOR="off", BURNISH_OUTPUT="file/windows", BURNISH_OUPUT="x", BURNISH_BUDGET="2"
    )
    assert problems(found).keys() == {"sensor", "modules", "output", "BURNISH_OUPUT", "BURNISH_BUDGET"}
    assert "is not a directory" in found["output"]["problem"]
    assert "BURNISH_ROOT" in found["modules"]["problem"]


@pytest.mark.parametrize(("root", "words"), [("/", "the whole machine"), ("/no/such/folder", "no such folder")])
def test_a_root_that_is_wrong(root: str, words: str, tmp_path: Path) -> None:
    found = findings(tmp_path, 1, BURNISH_ROOT=root, BURNISH_OUTPUT=str(tmp_path))
    assert words in found["root"]["problem"]


class _Collector(http.server.BaseHTTPRequestHandler):
    def do_OPTIONS(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("status", "reachable"), [(204, True), (404, True), (405, True), (403, False), (503, False)])
def test_a_collector_is_asked(status: int, reachable: bool, collector: str) -> None:
    from burnish_sensor.doctor.output import examine_output

    found = examine_output(f"{collector}/{status}")
    assert (found.problem == "") == reachable
    assert reachable or str(status) in found.problem


def test_a_collector_that_is_not_there(tmp_path: Path) -> None:
    from burnish_sensor.doctor.output import examine_output

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "refused" in examine_output(f"http://127.0.0.1:{port}/windows").problem
    assert "No such file" in examine_output(f"unix:{tmp_path}/collector.sock").problem


def test_a_socket_that_listens(tmp_path: Path) -> None:
    from burnish_sensor.doctor.output import examine_output

    path = str(tmp_path / "collector.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        assert examine_output(f"unix:{path}").problem == ""


def test_a_module_of_the_application_is_not_taken_for_the_library(tmp_path: Path) -> None:
    write(tmp_path, redis="raise SystemExit('it was run')\n")
    assert "redis" not in findings(tmp_path, 0)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="metadata of a folder on the path")
def test_a_library_whose_version_does_not_fit(tmp_path: Path) -> None:
    """A package by the name of a library, outside of the root, without what the hook patches."""
    app, library = tmp_path / "app", tmp_path / "lib"
    write(app, main="")
    write(
        library,
        **{"pymemcache/__init__": "", "pymemcache/client/__init__": "", "pymemcache/client/base": "class Client: pass"},
    )
    from tests.sensor.support import ROOT

    found = findings(app, 1, PYTHONPATH=f"{library}:{ROOT / 'sensor'}")
    assert "this version does not fit" in found["pymemcache"]["problem"]
