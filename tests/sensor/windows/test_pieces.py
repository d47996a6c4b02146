from __future__ import annotations

import json
import random

from burnish_sensor.windows.pieces import WORK_NS, Paced, array, as_bytes, in_order, mapping, no_pace


def test_what_is_written_is_json() -> None:
    rows = [{"name": "é\udc80", "n": number} for number in range(3)]
    text = "{" + "".join([*array("a", rows, no_pace), ",", *array("b", [], no_pace), ","])
    text += "".join(mapping("c", [("k", [1]), ('"', None)], no_pace)) + "}"
    assert json.loads(text) == {"a": rows, "b": [], "c": {"k": [1], '"': None}}


def test_order_is_that_of_sorted() -> None:
    items = [random.Random(7).randrange(500) for _ in range(2_000)] + list(range(700))
    assert list(in_order(items, lambda item: (-item % 7, item), no_pace)) == sorted(items, key=lambda i: (-i % 7, i))
    assert list(in_order([], str, no_pace)) == []


def test_sorting_and_writing_stop_often() -> None:
    stops: list[int] = []
    names = in_order(range(10_000), str, lambda: stops.append(1))
    assert len(stops) >= 30
    assert sum(1 for _ in array("a", names, lambda: stops.append(1))) == 10_002
    assert len(stops) >= 10_030


def test_a_rest_after_enough_work() -> None:
    clock = [0]
    rests: list[int] = []
    pace = Paced(lambda: rests.append(clock[0]), lambda: clock[0])
    for clock[0] in range(0, 10 * WORK_NS, WORK_NS // 4):
        pace()
    assert rests == list(range(WORK_NS, 10 * WORK_NS, WORK_NS))


def test_pieces_of_bounded_size() -> None:
    pieces = list(as_bytes(["x" * 1_000] * 500))
    assert b"".join(pieces) == b"x" * 500_000
    assert max(map(len, pieces)) <= 67_000
