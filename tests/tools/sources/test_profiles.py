"""Profiles of one program (`data/scoring.py`) by three profilers, and what is no profile."""

from __future__ import annotations

import gzip
import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.profile import LineTime
from burnish_tools.sources.directory import line_times, read, readers

DATA = Path(__file__).parent / "data"
HOTTEST = 10
"""`total ^= hash(…)`"""


@pytest.mark.parametrize(
    "name, samples", [("pyspy.speedscope.json", 206), ("scoring.pyisession", 80), ("zprofile.pb.gz", 43)]
)
def test_all_profilers_name_one_line(name: str, samples: int) -> None:
    first, *others = read(DATA / name).line_times()
    assert (first.function, first.line) == ("score", HOTTEST)
    assert first.file.endswith("shop/scoring.py")
    assert first.samples + sum(each.samples for each in others) == samples
    assert first.share == first.samples / samples
    assert all(each.samples <= first.samples for each in others)


def test_time_in_built_in_functions_is_their_callers(tmp_path: Path) -> None:
    session = {
        "frame_records": [
            [["MainThread\x00<thread>\x001", "f\x00a.py\x003\x01l5", "hash\x00<built-in>\x000"], 0.001],
            [["MainThread\x00<thread>\x001", "f\x00a.py\x003"], 0.001],
            [["MainThread\x00<thread>\x001"], 0.001],
        ]
    }
    path = tmp_path / "one.pyisession"
    path.write_text(json.dumps(session))
    assert [(t.line, t.samples) for t in read(path).line_times()] == [(3, 1), (5, 1)]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.json", b'{"root_frame": {}}', "keeps no lines"),
        ("a.json", b'{"a": 1}', "no format that is known"),
        ("a.json", b'{"shared": {"frames": []}, "profiles": [{"type": "evented"}]}', "evented"),
        ("a.json", b'{"shared": {"frames": []}, "profiles": [{"type": "sampled", "samples": [[3]]}]}', "names frame 3"),
        ("a.json", b'{"shared": 3}', "no speedscope file"),
        ("a.pyisession", b'{"frame_records": [3]}', "no session of pyinstrument"),
        ("a.pb.gz", gzip.compress(b"x" * 40)[:-8], "cut off"),
        ("a.pb.gz", b"\x1f\x8bnothing", "no pprof profile"),
        ("a.pprof", b"\x0a\x02\x08\x09" * 1, "broken pprof profile"),
    ],
)
def test_what_is_no_profile_is_named_with_the_reason(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
@given(data=st.one_of(st.binary(), st.text().map(str.encode), st.binary().map(lambda b: b'{"frame_records"' + b)))
def test_any_bytes_are_read_or_refused(reader, data: bytes) -> None:  # type: ignore[no-untyped-def]
    try:
        samples = reader.read(data)
    except DataError:
        return
    assert samples is None or samples.total >= 0


def test_the_newest_files_that_are_as_new_as_the_release_are_added(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    old.speedscope.json   before the release   not read
    a, b                  since                206 + 206 samples
    broken.pyisession     since                a warning that names it
    notes.txt             no profile           not looked at
    """
    text = (DATA / "pyspy.speedscope.json").read_bytes()
    for name, age in (("old", 100), ("a", 300), ("b", 400)):
        (tmp_path / f"{name}.speedscope.json").write_bytes(text)
        os.utime(tmp_path / f"{name}.speedscope.json", (age, age))
    (tmp_path / "broken.pyisession").write_text("{}")
    (tmp_path / "notes.txt").write_text("no profile")
    with caplog.at_level(logging.WARNING):
        found = line_times(tmp_path, since_unix_ns=200 * 10**9)
    assert sum(each.samples for each in found) == 2 * 206
    assert found[0].line == HOTTEST
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [str(tmp_path / "broken.pyisession")]
    assert line_times(tmp_path / "nowhere") == ()


def test_shares_are_of_all_samples() -> None:
    found = read(DATA / "zprofile.pb.gz").line_times()
    assert found[0] == LineTime(function="score", file="shop/scoring.py", line=10, share=31 / 43, samples=31)
