"""A directory, and a file of several processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish_sensor.notice import Notices
from burnish_sensor.output import Sink
from burnish_sensor.output.directory import Directory
from burnish_sensor.output.shared_file import SharedFile
from tests.sensor.output.receivers import line
from tests.sensor.support import ROOT


def sequences(path: Path) -> list[int]:
    return [json.loads(text)["sequence"] for text in path.read_text().splitlines() if text.strip()]


@pytest.fixture(params=["directory", "file"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    if request.param == "directory":
        return Directory(str(tmp_path), "w", Notices())
    return SharedFile(str(tmp_path / "w.jsonl"), Notices())


def test_windows_are_appended(sink: Sink, tmp_path: Path) -> None:
    assert all(sink.write(number, number, line(number)) for number in range(3))
    assert sequences(tmp_path / "w.jsonl") == [0, 1, 2]


def test_a_window_that_cannot_be_made_leaves_nothing(sink: Sink, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"half":'
        raise KeyError("x")

    sink.write(1, 1, line(1))
    with pytest.raises(KeyError):
        sink.write(2, 2, broken())
    assert sequences(tmp_path / "w.jsonl") == [1]


def _append(path: str, first: int) -> None:
    subject = SharedFile(path, Notices())
    for number in range(first, first + 40):
        assert subject.write(number, number, line(number, 70_000 if number % 8 == 0 else 10))


def test_processes_append_to_one_file_without_mixing_lines(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(str(path), first)) for first in (0, 100, 200)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    found = sequences(path)
    assert sorted(found) == [first + at for first in (0, 100, 200) for at in range(40)]
    assert [number for number in found if number < 100] == list(range(40))


def test_a_line_that_a_killed_process_left_open_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'{"sequence":0}\n{"sequ')
    SharedFile(str(path), Notices()).write(1, 1, line(1))
    assert path.read_bytes().splitlines()[1] == b'{"sequ'
    assert json.loads(path.read_bytes().splitlines()[2])["sequence"] == 1


@pytest.mark.parametrize("kind", ["Directory(FOLDER, 'w', Notices())", "SharedFile(FOLDER + '/w.jsonl', Notices())"])
def test_a_full_disk_leaves_no_torn_window(kind: str, tmp_path: Path) -> None:
    code = f"""
        import os, resource, signal
        from burnish_sensor.notice import Notices
        from burnish_sensor.output.directory import Directory
        from burnish_sensor.output.shared_file import SharedFile
        FOLDER = {str(tmp_path)!r}
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        sink = {kind}
        for number in (1, 2, 3, 4):
            size = 50_000 if number in (2, 3) else 100
            print(sink.write(number, number, [b'{{"sequence":%d,"x":"' % number, b"x" * size, b'"}}\\n']))
    """
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "sensor")}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    result = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.split() == ["True", "False", "False", "True"]
    assert result.stderr.count("BURNISH_OUTPUT") == 1
    assert sequences(tmp_path / "w.jsonl") == [1, 4]
