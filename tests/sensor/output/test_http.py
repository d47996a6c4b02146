from __future__ import annotations

import email.utils
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.output.address import Address
from burnish_sensor.output.delivery import Delivery
from burnish_sensor.output.http import HttpTransport
from burnish_sensor.output.spool import Item, compressed
from burnish_sensor.output.transport import ACCEPTED, LATER, REFUSED, TOO_LARGE, Answer
from tests.sensor.output.receivers import INSTANCE, collector, delivery, line, spooled, wait_for


def transport(port: int, token: str = "") -> HttpTransport:
    return HttpTransport(Address("http", "/v1/windows", "127.0.0.1", port), token)


@contextmanager
def sending(folder: Path, port: int) -> Iterator[Delivery]:
    sink = delivery(folder, lambda: transport(port))
    try:
        yield sink
    finally:
        sink.close(0.0)


def batch(*sequences: int) -> list[tuple[Item, bytes]]:
    return [(Item(number, INSTANCE, number, 0), compressed(line(number))) for number in sequences]


def answer_of(*answers: Any, seconds: float = 5.0) -> Answer:
    with collector(*answers) as receiver:
        return transport(receiver.port).send(batch(1), seconds)


def test_a_batch_is_one_post_of_json_lines() -> None:
    with collector() as receiver:
        assert transport(receiver.port, "s3cret").send(batch(3, 4, 5), 5.0) == Answer(ACCEPTED)
    (post,) = receiver.posts
    assert post.path == "/v1/windows"
    assert [window["sequence"] for window in post.windows] == [3, 4, 5]
    assert post.headers["Content-Type"] == "application/x-ndjson"
    assert post.headers["Content-Encoding"] == "gzip"
    assert post.headers["Authorization"] == "Bearer s3cret"
    assert post.headers["Idempotency-Key"] == f'"{INSTANCE}/3-5"'


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_is_wrong_for_ever_is_refused(status: int) -> None:
    assert answer_of(status).verdict == REFUSED


@pytest.mark.parametrize("status", [302, 308, 408, 425, 429, 500, 502, 503])
def test_what_may_get_better_is_for_later(status: int) -> None:
    answer = answer_of((status, {"Location": "/v1/windows"}))
    assert answer.verdict == LATER
    assert str(status) in answer.reason


def test_too_large() -> None:
    assert answer_of(413).verdict == TOO_LARGE


def test_retry_after_in_seconds_and_as_a_date() -> None:
    assert answer_of((503, {"Retry-After": "17"})).wait == 17
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    assert 3500 < answer_of((429, {"Retry-After": date})).wait <= 3600
    assert answer_of((429, {"Retry-After": "soon"})).wait == 0


def reply(data: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    "data", [b"", b"\0\1\2 garbage\r\n", b"HTTP/1.1 yes\r\n\r\n", b"HTTP/1.1 204", b"SSH-2.0-x\r\n" * 9, b"x" * 99_999]
)
def test_what_is_no_answer_is_for_later(data: bytes) -> None:
    with collector(reply(data)) as receiver:
        try:
            answer = transport(receiver.port).send(batch(1), 5.0)
        except OSError:
            return  # the connection was closed
    assert answer.verdict == LATER or data == b"HTTP/1.1 204"


def test_one_deadline_for_all_of_an_answer_that_drips() -> None:
    dripped: list[bytes] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            for at in range(200):
                handler.wfile.write(b"HTTP/1.1 204 No Content\r\n"[at % 25 : at % 25 + 1])
                dripped.append(b"x")
                time.sleep(0.02)
        except OSError:
            pass

    with collector(drip) as receiver, pytest.raises(OSError, match=r"timed out|in time"):
        transport(receiver.port).send(batch(1), 0.3)
    assert len(dripped) < 200


def test_nobody_listens() -> None:
    with collector() as receiver:
        pass
    with pytest.raises(OSError, match="refused"):
        transport(receiver.port).send(batch(1), 5.0)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert answer_of(204).verdict == ACCEPTED


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody signed, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    files = ["-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.key").read_text())
    return path


def test_tls_with_a_certificate_that_is_trusted_and_one_that_is_not(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with collector(tls=context) as receiver:
        subject = HttpTransport(Address("https", "/", "localhost", receiver.port), "")
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            subject.send(batch(1), 5.0)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert subject.send(batch(2), 5.0) == Answer(ACCEPTED)
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            HttpTransport(Address("https", "/", "127.0.0.1", receiver.port), "").send(batch(3), 5.0)
    assert receiver.taken == [2]


def test_windows_wait_while_the_collector_cannot_and_arrive_in_order(tmp_path: Path) -> None:
    answers = [500, 429, (503, {"Retry-After": "0"}), reply(b"\0garbage"), reply(b""), 302]
    with collector(*answers) as receiver, sending(tmp_path, receiver.port) as sink:
        for number in range(5):
            sink.write(number, number, line(number))
        wait_for(lambda: len(receiver.taken) == 5)
        assert receiver.taken == [0, 1, 2, 3, 4]
        assert not receiver.answers
        assert sink.dropped == 0


def test_windows_that_waited_for_a_collector_that_was_down(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with collector() as receiver:
        port = receiver.port
    with sending(tmp_path, port) as sink:
        for number in range(300):
            sink.write(number, number, line(number))
        wait_for(lambda: "does not take windows now" in capfd.readouterr().err)
        with collector(port=port) as receiver:
            wait_for(lambda: len(receiver.taken) == 300)
        assert receiver.taken == list(range(300))
        assert len(receiver.posts) < 30
        wait_for(lambda: not spooled(tmp_path))
    assert "does not take" not in capfd.readouterr().err  # said once


def test_a_batch_that_is_too_large_is_split_and_only_what_alone_is_too_large_is_dropped(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with collector(500) as receiver, sending(tmp_path, receiver.port) as sink:
        receiver.largest = 2_000
        for number in range(12):
            sink.write(number, number, line(number, 9_000 if number == 4 else 400))
        wait_for(lambda: len(receiver.taken) == 11)
        wait_for(lambda: sink.dropped == 1)
        assert receiver.taken == [number for number in range(12) if number != 4]
    assert capfd.readouterr().err.count("too large") == 1


def test_a_window_that_is_refused_takes_no_other_with_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with collector(500) as receiver, sending(tmp_path, receiver.port) as sink:
        receiver.hated = {3, 5}
        for number in range(12):
            sink.write(number, number, line(number))
        wait_for(lambda: len(receiver.taken) == 10)
        wait_for(lambda: sink.dropped == 2)
        assert receiver.taken == [number for number in range(12) if number not in (3, 5)]
    assert capfd.readouterr().err.count("refused") == 1


def test_the_last_attempt_of_a_process_is_bounded(tmp_path: Path) -> None:
    released = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        released.wait(20)

    with collector(hang) as receiver:
        sink = delivery(tmp_path, lambda: transport(receiver.port))
        sink.write(1, 1, line(1))
        sink.close(0.1)
        assert len(spooled(tmp_path)) == 1
        released.set()


def test_closing_sends_what_waits_although_the_last_attempt_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with collector((503, {"Retry-After": "60"})) as receiver:
        sink = delivery(tmp_path, lambda: transport(receiver.port))
        sink.write(1, 1, line(1))
        wait_for(lambda: "does not take windows now" in capfd.readouterr().err)
        sink.write(2, 2, line(2))
        sink.close(10.0)
        assert receiver.taken == [1, 2]


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
def test_a_fork_ends_the_thread_and_the_next_window_starts_it(tmp_path: Path) -> None:
    with collector() as receiver, sending(tmp_path, receiver.port) as sink:
        sink.write(1, 1, line(1))
        wait_for(lambda: receiver.taken == [1])
        before = os.listdir("/proc/self/task")
        sink.pause()
        assert len(os.listdir("/proc/self/task")) == len(before) - 1
        sink.write(2, 2, line(2))
        wait_for(lambda: receiver.taken == [1, 2])
