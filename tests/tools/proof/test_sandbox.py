from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from burnish_tools.proof.sandbox import OUTPUT_BYTES, Sandbox, can_isolate, remove_stale, scratch_folder


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path, timeout_seconds=20, memory_limit_mb=1024, environment={"NEEDED": "yes"}, network=False)


def python(sandbox: Sandbox, code: str, **more: float) -> tuple[int | None, str]:
    run = sandbox.run([sys.executable, "-c", code], sandbox.folder, **more)  # type: ignore[arg-type]
    return run.code, run.output


def running(mark: str) -> list[str]:
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in cmdline.read_bytes():
                found.append(cmdline.parent.name)
        except OSError:
            continue
    return found


def test_no_secret_reaches_the_command(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cr3t-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "s3cr3t-2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-3")
    code, output = python(sandbox, "import os; print(sorted(os.environ.items()))")
    assert code == 0
    assert "s3cr3t" not in output
    assert "'NEEDED', 'yes'" in output
    assert f"'HOME', '{sandbox.folder}" in output


@pytest.mark.skipif(not can_isolate(), reason="no namespaces on this machine")
def test_environments_of_other_processes_are_out_of_sight(sandbox: Sandbox) -> None:
    code, output = python(sandbox, f"import os; print(os.getpid(), os.path.exists('/proc/{os.getpid()}/environ'))")
    assert (code, output.split()[1]) == (0, "False")


@pytest.mark.skipif(not can_isolate(), reason="no namespaces on this machine")
def test_without_network_only_loopback_answers(sandbox: Sandbox) -> None:
    code, output = python(
        sandbox,
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), 2)\n"
        "print(sorted(name for _, name in socket.if_nameindex()))",
    )
    assert (code, output.strip()) == (0, "['lo']")
    assert "isolated from the network" in sandbox.isolation


def test_a_runaway_is_killed_with_all_it_has_started(sandbox: Sandbox) -> None:
    mark = f"86399.{os.getpid()}"
    run = sandbox.run(["sh", "-c", f"sleep {mark} & sleep {mark}"], sandbox.folder, timeout_seconds=0.5)
    assert run.timed_out
    assert running(mark) == []


@pytest.mark.skipif(not can_isolate(), reason="no namespaces on this machine")
def test_nothing_stays_in_the_background_after_a_normal_end(sandbox: Sandbox) -> None:
    mark = f"86398.{os.getpid()}"
    run = sandbox.run(["sh", "-c", f"setsid sleep {mark} & sleep 0.1"], sandbox.folder)
    assert run.code == 0
    assert running(mark) == []


def test_memory_is_limited(sandbox: Sandbox) -> None:
    code, output = python(sandbox, "bytearray(2 << 30)")
    assert code == 1
    assert "MemoryError" in output


def test_only_the_end_of_long_output_is_kept(sandbox: Sandbox) -> None:
    code, output = python(sandbox, "print('x' * 1_000_000); print('the end')")
    assert code == 0
    assert len(output) <= OUTPUT_BYTES
    assert output.endswith("the end\n")


def test_a_command_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    run = sandbox.run(["no-such-command"], sandbox.folder)
    assert (run.code, run.tail()) == (127, ("no-such-command: No such file or directory",))


def test_a_conversation_ends_with_its_context(sandbox: Sandbox) -> None:
    echo = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
    with sandbox.conversation([sys.executable, "-c", echo], sandbox.folder) as conversation:
        assert [conversation.ask("one"), conversation.ask("two")] == ["ONE", "TWO"]


def test_a_conversation_with_a_dead_command_gives_its_last_words(sandbox: Sandbox) -> None:
    with sandbox.conversation([sys.executable, "-c", "raise SystemExit('no')"], sandbox.folder) as conversation:
        assert conversation.ask("anyone?") is None
        assert conversation.ended().output == "no\n"


def test_the_scratch_folder_is_gone_also_after_an_error(tmp_path: Path) -> None:
    def fails() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "deep").mkdir()
            (folder / "deep").chmod(0o500)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_dead_runs_are_removed_and_those_of_live_runs_are_not(tmp_path: Path) -> None:
    (tmp_path / "proof-dead" / "tree").mkdir(parents=True)
    with scratch_folder(tmp_path) as folder:
        remove_stale(tmp_path)
        assert list(tmp_path.iterdir()) == [folder]
