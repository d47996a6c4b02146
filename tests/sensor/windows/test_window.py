"""The written format: for a fixed scenario the sensor writes ``tests/format/shop.jsonl``, which the agent reads too.

After a wanted change, with ``sensor`` on PYTHONPATH: ``python -m tests.sensor.windows.test_window`` writes it again.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.settings import Settings
from burnish_sensor.windows.flush import Flusher
from burnish_sensor.windows.window import Window
from tests.sensor.format_shape import check_window
from tests.sensor.support import ROOT, Bench

pytestmark = pytest.mark.usefixtures("each_recorder")

GOLDEN = ROOT / "tests" / "format" / "shop.jsonl"

SHOP = """
    import asyncio

    class Order:
        def customer(self, number):
            tick(900)
            bench.query('SELECT "name" FROM "customer" WHERE "id" = %s', (number % 4,), rows=1, took=30_000)

    def order_list(count):
        tick(20_000)
        if count > 8:
            raise ValueError(count)
        for number in rows(count):
            Order().customer(number)
        return depth(2)

    def rows(count):
        bench.query('SELECT * FROM "order" LIMIT 21', (), rows=count, took=80_000)
        for number in range(count):
            tick(100)
            yield number

    def depth(n):
        tick(10)
        return n and depth(n - 1)

    async def mail():
        tick(1_000)
        await asyncio.sleep(0)
        tick(2_000)

    def settle():
        bench.query("UPDATE account SET balance = 17.5", None, took=5_000)
"""


def scenario(folder: Path) -> list[dict[str, Any]]:
    """The windows of a small service, without what differs from run to run."""
    bench = Bench()
    unix = 1_750_000_000_000_000_000
    settings = Settings("", str(folder), "shop", "production", "4f2c1ab", 10.0, True)
    flusher = Flusher(
        bench.recorder,
        bench.registry,
        bench.statements,
        settings,
        {"version": "0.1.0", "mechanism": "rewriting"},
        lambda: unix + bench.clock.now,
    )
    flusher.instance = "golden"
    flusher.output.path = str(folder / "golden.jsonl")
    shop = bench.load(SHOP, "orders.views", "orders/views.py")
    for counts in ((2, 3, 5), (8, 9)):
        for count in counts:
            serve(bench, shop, count)
        asyncio.run(shop["mail"]())
        entry = bench.entries.begin("job", "job:settle")
        shop["settle"]()
        bench.entries.end(entry)
        flusher.flush()
    return [without_costs(json.loads(line)) for line in (folder / "golden.jsonl").read_text().splitlines()]


def serve(bench: Bench, shop: dict[str, Any], count: int) -> None:
    entry = bench.entries.begin("http")
    try:
        shop["order_list"](count)
        bench.entries.end(entry, "GET orders/", 200)
    except ValueError as error:
        bench.entries.end(entry, "GET orders/", 500, error)


def without_costs(window: dict[str, Any]) -> dict[str, Any]:
    window["python"] = "3.11.7"
    window["sensor"].update(overhead_ns=150_000, process_cpu_ns=9_000_000)
    return window


def test_the_sensor_writes_the_golden_file(tmp_path: Path) -> None:
    golden = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    assert scenario(tmp_path) == golden


def test_what_is_written_has_the_shape_of_the_format(tmp_path: Path) -> None:
    windows = scenario(tmp_path)
    assert [window["sequence"] for window in windows] == [0, 1]
    for window in windows:
        check_window(window)


def test_no_literal_is_written(tmp_path: Path) -> None:
    scenario(tmp_path)
    assert "17.5" not in (tmp_path / "golden.jsonl").read_text()


def test_beyond_the_cap_entries_are_other() -> None:
    bench = Bench()
    window = Window(entries=2)
    for name in ("a", "b", "c", "d", "a"):
        bench.entries.end(bench.entries.begin("http"), name)
    bench.recorder.take(window)
    assert {name: totals.wall.count for name, totals in window.entries.items()} == {"a": 2, "b": 1, "<other>": 2}
    assert window.dropped_entries == 2


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        lines = [json.dumps(window, separators=(",", ":")) for window in scenario(Path(scratch))]
    GOLDEN.write_text("\n".join(lines) + "\n")
