from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from burnish_sensor.output.delivery import Delivery
from burnish_sensor.output.spool import Item, compressed
from burnish_sensor.output.transport import ACCEPTED, LATER, REFUSED, Answer
from burnish_sensor.output.unix_socket import UnixTransport
from tests.sensor.output.receivers import INSTANCE, delivery, line, spooled, unix_receiver, wait_for


def answer_of(folder: Path, answer: bytes) -> Answer:
    transport = UnixTransport(str(folder / "s"))
    with unix_receiver(folder / "s", answer):
        try:
            return transport.send([(Item(1, INSTANCE, 1, 0), compressed(line(1)))], 0.3)
        finally:
            transport.close()


@contextmanager
def sending(folder: Path) -> Iterator[Delivery]:
    sink = delivery(folder / "spool", lambda: UnixTransport(str(folder / "s")))
    try:
        yield sink
    finally:
        sink.close(0.0)


def sequences(lines: list[bytes]) -> list[int]:
    return [json.loads(line)["sequence"] for line in lines]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"ok\n", Answer(ACCEPTED)),
        (b"refused format 1\n", Answer(REFUSED, "format 1")),
        (b"later 30\n", Answer(LATER, "it asked to wait", 30)),
        (b"later\n", Answer(LATER, "it asked to wait")),
        (b"okay\n", Answer(LATER, "the answer is not one of ok, refused and later")),
        (b"x" * 300, Answer(LATER, "the answer is not one of ok, refused and later")),
        (b"ok", Answer(LATER, "the connection was closed before the answer")),
    ],
)
def test_answers(line: bytes, answer: Answer, tmp_path: Path) -> None:
    assert answer_of(tmp_path, line) == answer


def test_each_line_waits_for_its_answer(tmp_path: Path) -> None:
    with unix_receiver(tmp_path / "s") as lines, sending(tmp_path) as sink:
        for number in range(20):
            sink.write(number, number, line(number, 200_000 if number == 7 else 0))
        wait_for(lambda: not spooled(tmp_path))
        assert sequences(lines) == list(range(20))


def test_a_line_without_an_answer_is_sent_again(tmp_path: Path) -> None:
    answers = (b"ok\n", b"o", b"later 0\n", b"?\n", b"refused\n")
    with unix_receiver(tmp_path / "s", *answers) as lines, sending(tmp_path) as sink:
        for number in range(4):
            sink.write(number, number, line(number))
        wait_for(lambda: not spooled(tmp_path))
        assert sink.dropped == 1
    assert sequences(lines) == [0, 1, 1, 1, 1, 2, 3]


def test_a_receiver_that_comes_late(tmp_path: Path) -> None:
    with sending(tmp_path) as sink:
        sink.write(1, 1, line(1))
        with unix_receiver(tmp_path / "s") as lines:
            wait_for(lambda: not spooled(tmp_path))
    assert sequences(lines) == [1]
