from __future__ import annotations

from pathlib import Path

from burnish_tools.collector.refused import Refused


def kept(directory: Path) -> list[str]:
    return [line for path in sorted(directory.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_lines_are_kept_as_they_came(tmp_path: Path) -> None:
    Refused(tmp_path, 1000).keep(b"one\r\n", "newer")
    Refused(tmp_path, 1000).keep(b"two", "newer")
    assert kept(tmp_path) == ["one", "two"]


def test_beyond_the_limit_the_oldest_go(tmp_path: Path) -> None:
    refused = Refused(tmp_path, 800)
    for number in range(100):
        refused.keep(f"{number:049d}".encode(), "newer")
    assert kept(tmp_path) == [f"{number:049d}" for number in range(84, 100)]
    assert refused.size() <= 800
    assert refused.dropped == 42


def test_one_line_beyond_the_limit_is_kept_alone(tmp_path: Path) -> None:
    refused = Refused(tmp_path, 80)
    refused.keep(b"a" * 500, "newer")
    refused.keep(b"b" * 500, "failed")
    assert kept(tmp_path) == ["b" * 500]


def test_only_newer_lines_are_read_again_and_the_rest_of_a_file_is_left(tmp_path: Path) -> None:
    refused = Refused(tmp_path, 10_000)
    for line in (b"one", b"two"):
        refused.keep(line, "newer")
    refused.keep(b"poison", "failed")
    ((path, lines),) = refused.again()
    assert lines == [b"one", b"two"]
    refused.leave(path, [b"two"])
    assert [lines for _, lines in refused.again()] == [[b"two"]]
    refused.leave(path, [])
    assert kept(tmp_path) == ["poison"]
