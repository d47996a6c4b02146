from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest

from burnish_sensor.notice import Notices
from burnish_sensor.output.spool import MEMORY_BYTES, Spool, compressed, lines_of
from tests.sensor.output.receivers import INSTANCE, line, spooled, wait_for
from tests.sensor.support import ROOT


def spool(folder: Path, limit: int = 1_000_000) -> Spool:
    return Spool(str(folder), "shop", INSTANCE, limit, Notices())


def fill(subject: Spool, *sequences: int, padding: int = 0) -> None:
    for number in sequences:
        subject.add(number, number, line(number, padding))


def waiting(subject: Spool, count: int = 1000) -> list[int]:
    return [item.sequence for item, _ in subject.batch(count, 1_000_000_000)]


def told(subject: Spool) -> int:
    """How many dropped windows are known from those that wait, and will be from the next."""
    return sum(item.tells for item, _ in subject.batch(1000, 1_000_000_000)) + subject.untold


def test_what_is_compressed_can_be_read_back() -> None:
    pieces = [bytes([65 + number % 26]) * 40_000 for number in range(40)]
    assert b"".join(lines_of(compressed(pieces))) == b"".join(pieces)


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_what_is_torn_is_not_read(cut: int) -> None:
    with pytest.raises((ValueError, zlib.error)):
        list(lines_of(compressed(line(1, 1000))[:-cut]))


def test_windows_wait_on_the_disk_until_they_are_done(tmp_path: Path) -> None:
    subject = spool(tmp_path)
    fill(subject, 0, 1, 2)
    assert waiting(subject) == [0, 1, 2]
    assert len(spooled(tmp_path)) == 3
    subject.done([item for item, _ in subject.batch(2, 1_000_000)])
    assert waiting(subject) == [2]
    assert len(spooled(tmp_path)) == 1


def test_a_window_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield b"{"
        raise KeyError("x")

    subject = spool(tmp_path)
    with pytest.raises(KeyError):
        subject.add(1, 1, broken())
    assert len(subject) == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_beyond_its_limit_the_newest_are_kept(tmp_path: Path) -> None:
    subject = spool(tmp_path, 10_000)
    fill(subject, *range(20), padding=2_000)
    kept = waiting(subject)
    assert kept == list(range(20 - len(kept), 20))
    assert len(kept) + told(subject) == 20
    assert 5_000 < sum(path.stat().st_size for path in tmp_path.rglob("*.gz")) <= 10_000


def test_what_is_being_sent_is_not_dropped(tmp_path: Path) -> None:
    subject = spool(tmp_path, 10_000)
    fill(subject, 0, padding=2_000)
    sent = subject.batch(1, 1_000_000)
    fill(subject, *range(1, 20), padding=2_000)
    subject.done([item for item, _ in sent])
    assert 0 not in waiting(subject)
    assert told(subject) + len(subject) == 19


def test_a_batch_is_bounded_in_bytes_but_has_one_window(tmp_path: Path) -> None:
    subject = spool(tmp_path)
    fill(subject, *range(9), padding=2_000)
    assert len(subject.batch(100, 3_000)) in (1, 2)
    assert len(subject.batch(100, 1)) == 1


def test_a_folder_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    subject = spool(tmp_path / "spool")
    fill(subject, 1)
    for path in sorted((tmp_path / "spool").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    fill(subject, 2)
    assert waiting(subject) == [2]
    assert subject.dropped == 1


def test_an_unwritable_disk_is_said_once_and_memory_is_bounded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    subject = spool(tmp_path / "file")
    fill(subject, *range(12), padding=1_000_000)
    assert capfd.readouterr().err.count("BURNISH_SPOOL") == 1
    kept = waiting(subject)
    assert kept == list(range(12 - len(kept), 12))
    assert 0 < sum(item.size for item, _ in subject.batch(99, 10**9)) <= MEMORY_BYTES
    assert told(subject) == 12 - len(kept)


def child(code: str, folder: Path) -> subprocess.Popen[str]:
    """A process with ``spool``, ``line`` and ``FOLDER``; it is to print when it is ready."""
    prelude = f"""
        import os, random, resource, signal, sys, time
        from pathlib import Path
        from burnish_sensor.identity import new_instance
        from burnish_sensor.notice import Notices
        from burnish_sensor.output.spool import Spool
        FOLDER = {str(folder)!r}
        def line(number, size=0):
            return [b'{{"sequence":%d,"padding":"' % number, os.urandom(size).hex().encode(), b'"}}\\n']
        spool = Spool(FOLDER, "shop", new_instance(), 50_000_000, Notices())
    """
    text = textwrap.dedent(prelude) + textwrap.dedent(code)
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "sensor")}
    return subprocess.Popen([sys.executable, "-c", text], env=environ, stdout=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    other = child(
        "for n in range(1, 6): spool.add(n, n, line(n))\nprint('ready', flush=True); time.sleep(60)", tmp_path
    )
    assert ready(other) == "ready"
    subject = spool(tmp_path)
    fill(subject, 100)
    subject.adopt()
    assert waiting(subject) == [100]  # it lives
    end(other)
    subject.adopt()
    assert waiting(subject) == [1, 2, 3, 4, 5]  # one instance at a time, the older one first
    assert len(os.listdir(tmp_path / "shop")) == 1
    subject.adopt()
    assert len(subject) == 6


def test_a_process_killed_while_it_writes_leaves_whole_windows(tmp_path: Path) -> None:
    other = child(
        "print('ready', flush=True)\nn = 0\nwhile n < 5000: n += 1; spool.add(n, n, line(n, 50_000))", tmp_path
    )
    assert ready(other) == "ready"
    wait_for(lambda: len(spooled(tmp_path)) > 3)
    end(other)
    subject = spool(tmp_path, 50_000_000)
    fill(subject, 0)
    subject.adopt()
    dropped = subject.dropped
    found: list[int] = []
    while subject:
        batch = subject.batch(50, 10**9)
        found += [item.sequence for item, _ in batch]
        subject.done([item for item, _ in batch])
    assert sorted(found) == sorted(set(found))
    assert len(found) > 3
    assert subject.dropped == dropped
    assert not spooled(tmp_path, ".part")


def test_two_processes_never_take_the_same_leftover(tmp_path: Path) -> None:
    dead = [child("for n in range(20): spool.add(n, n, line(n))\nprint('x', flush=True)", tmp_path) for _ in range(2)]
    for process in dead:
        ready(process)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
    code = """
        spool.add(0, 0, line(0))
        print("ready", flush=True)
        spool.adopt()
        print(len(spool), flush=True)
        time.sleep(60)
    """
    takers = [child(code, tmp_path) for _ in range(3)]
    assert [ready(process) for process in takers] == ["ready"] * 3
    counts = [int(ready(process)) for process in takers]
    assert sum(counts) == 40 + 3
    assert len(spooled(tmp_path)) == 43
    for process in takers:
        end(process)


def test_a_forked_child_does_not_hold_the_lock(tmp_path: Path) -> None:
    code = """
        spool.add(1, 1, line(1))
        if os.fork() == 0:
            spool.forget()
            time.sleep(60)
        print("ready", flush=True)
        time.sleep(60)
    """
    other = child("import os\nos.setsid()\n" + textwrap.dedent(code), tmp_path)
    assert ready(other) == "ready"
    try:
        subject = spool(tmp_path)
        fill(subject, 100)
        subject.adopt()
        assert len(subject) == 1
        other.kill()
        other.wait(30)
        subject.adopt()
        assert len(subject) == 2
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        assert other.stdout is not None
        other.stdout.close()


def test_torn_and_foreign_files_are_set_aside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    left = tmp_path / "shop" / "17-ba9876543210"
    left.mkdir(parents=True)
    data = compressed(line(3))
    name = "{:020d}.17-ba9876543210.{:010d}.jsonl.gz"
    (left / name.format(5, 3)).write_bytes(data)
    (left / name.format(6, 4)).write_bytes(data[:-9])
    (left / (name.format(7, 5) + ".part")).write_bytes(data)
    (left / "notes.txt").write_text("mine")
    subject = spool(tmp_path)
    fill(subject, 100)
    subject.adopt()
    assert waiting(subject) == [3]
    subject.done([item for item, _ in subject.batch(9, 10**9)])
    assert waiting(subject) == [100]
    assert subject.dropped == 1
    assert sorted(os.listdir(tmp_path / "shop" / "set-aside")) == [name.format(6, 4), "notes.txt"]
    assert capfd.readouterr().err.count("set-aside") == 1
    assert not left.exists()


def test_a_limit_on_the_size_of_files_leaves_nothing_torn(tmp_path: Path) -> None:
    code = """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        spool.add(1, 1, line(1, 2_000))
        spool.add(2, 2, line(2, 40_000))
        spool.add(3, 3, line(3, 2_000))
        print([item.sequence for item, _ in spool.batch(9, 10**9)], flush=True)
    """
    other = child(code, tmp_path)
    assert ready(other) == "[1, 2, 3]"
    other.wait(30)
    assert other.stdout is not None
    other.stdout.close()
    assert len(spooled(tmp_path)) == 2
    assert not spooled(tmp_path, ".part")
