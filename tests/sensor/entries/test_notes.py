from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.entries.notes import Notes
from burnish_sensor.recording.work import Work
from tests.sensor.support import run, windows, write


@pytest.mark.parametrize(
    "value, noted",
    [("enterprise", "enterprise"), (True, True), (0, 0), (5, 4), (1_000, 512), (-9, -8), ("a b/c", "a b/c")],
)
def test_a_class_is_noted_and_of_a_number_its_power_of_two(value: Any, noted: Any) -> None:
    work = Work("job:x", "job")
    Notes().take(work, "plan", value)
    assert work.notes == {"plan": noted}
    assert type(work.notes["plan"]) is type(noted)


@pytest.mark.parametrize(
    "key, value",
    [
        ("Plan", "x"),
        ("1plan", "x"),
        ("a" * 41, "x"),
        (7, "x"),
        ("plan", "x" * 41),
        ("plan", ""),
        ("plan", "mallory@example.org"),
        ("plan", "two\nlines"),
        ("plan", 1.5),
        ("plan", None),
        ("plan", ["list"]),
    ],
)
def test_anything_else_is_refused_and_that_is_said_once(
    key: Any, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    work, notes = Work("job:x", "job"), Notes()
    for _ in range(3):
        notes.take(work, key, value)
    assert work.notes == {}
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a note was refused" in said


def test_an_entry_has_at_most_sixteen(capsys: pytest.CaptureFixture[str]) -> None:
    work, notes = Work("job:x", "job"), Notes()
    for number in range(20):
        notes.take(work, f"key{number}", "x")
    notes.take(work, "key0", "y")
    assert len(work.notes) == 16
    assert work.notes["key0"] == "y"
    assert "refused" in capsys.readouterr().err


def test_beyond_fifty_values_of_a_key_there_is_only_other() -> None:
    notes, found = Notes(), set()
    for number in range(60):
        work = Work("job:x", "job")
        notes.take(work, "customer", f"c{number}")
        found.add(work.notes["customer"])
    assert len(found) == 51
    assert "<other>" in found


def test_what_differs_within_an_entry_is_mixed() -> None:
    work, notes = Work("job:x", "job"), Notes()
    notes.blend(work, "cache", "hit")
    notes.blend(work, "cache", "hit")
    assert work.notes == {"cache": "hit"}
    notes.blend(work, "cache", "miss")
    notes.blend(work, "cache", "hit")
    assert work.notes == {"cache": "mixed"}


def test_outside_of_an_entry_or_after_it_nothing_is_noted() -> None:
    work = Work("job:x", "job")
    work.open = False
    Notes().take(work, "plan", "x")
    Notes().take(None, "plan", "x")
    Notes().blend(None, "plan", "x")
    assert work.notes == {}


def test_notes_of_an_application_are_facts_of_its_calls(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import time, burnish_sensor
        def work():
            time.sleep(0.002)
        def main():
            for plan in ("free", "enterprise"):
                with burnish_sensor.entry("job:" + plan):
                    work()
                    burnish_sensor.note("plan", plan)
            burnish_sensor.note("plan", "nobody's")
    """,
    )
    code = "import burnish_sensor\nburnish_sensor.note('a', 'b')\nburnish_sensor.start()\nimport app; app.main()"
    result = run(code, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    rows = [row for row in windows(tmp_path)[0]["exemplars"] if row["function"] == "app:work"]
    assert {row["entry"]: row["facts"]["note.plan"] for row in rows} == {
        "job:free": "free",
        "job:enterprise": "enterprise",
    }


def test_without_the_sensor_a_note_does_nothing(tmp_path: Path) -> None:
    code = "import burnish_sensor, sys\nburnish_sensor.note('plan', 'x'); burnish_sensor.note(None, None)\n"
    result = run(code + "print(len([m for m in sys.modules if m.startswith('burnish_sensor.')]))", tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "0\n", "")
