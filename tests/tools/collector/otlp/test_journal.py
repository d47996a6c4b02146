"""What was answered with 200 is stored once, whatever happens to the collector between."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish_tools.collector.otlp.receiver import OtlpReceiver
from burnish_tools.collector.otlp.settings import OtlpSettings
from tests.tools.collector.otlp.collected import BEGIN, SECOND, Collected, query, request
from tests.tools.collector.otlp.test_assembly import SELECT, tree


def after_a_kill(one: Collected, directory: Path) -> Collected:
    """A receiver in the place of one that was not closed, before the same store."""
    two = Collected(directory, now=one.now + SECOND)
    two.windows = one.windows
    two.receiver.tick()
    return two


def segments(directory: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(directory.iterdir())]


def test_what_waits_for_its_trace_survives_a_kill(tmp_path: Path) -> None:
    one = Collected(tmp_path)
    one.send(*tree()[:2])
    two = after_a_kill(one, tmp_path)
    two.send(*tree()[2:])
    two.passes(60)
    assert [(e.calls, e.queries.sum) for e in two.entries] == [(1, 1)]


def test_what_is_stored_is_not_counted_again(tmp_path: Path) -> None:
    one = Collected(tmp_path)
    one.send(*tree(), *tree(trace=2)[:2])
    one.passes(60)
    assert len(one.windows) == 1
    two = after_a_kill(one, tmp_path)
    two.passes(400)
    assert sum(e.calls for e in two.entries) == 1
    assert sum(q.executions for w in two.windows for q in w.queries) == 2


def test_windows_that_the_store_did_not_take_wait_and_survive(tmp_path: Path) -> None:
    one = Collected(tmp_path)
    one.send(*tree())
    one.broken = True
    one.passes(60)
    assert one.windows == []
    two = after_a_kill(one, tmp_path)
    assert [e.calls for e in two.entries] == [1]
    one.broken = False
    one.passes(1)
    assert two.window.instance.endswith(f"{BEGIN:x}")


def test_nothing_is_left_when_everything_is_stored(tmp_path: Path) -> None:
    made = Collected(tmp_path)
    for n in range(20):
        made.send(*tree(trace=n + 1, at=n * 1000))
        made.passes(1)
    made.passes(60)
    assert len("".join(segments(tmp_path))) < 200
    assert len(segments(tmp_path)) == 1


def test_the_journal_holds_no_literal_and_no_path(tmp_path: Path) -> None:
    made = Collected(tmp_path)
    told = {"url.path": "/items/hidden", "http.url": "http://u:hidden@h/hidden?hidden", "user": "hidden"}
    made.send(request(1, told=told, name="GET /items/'hidden'"), query(2, 1, "SELECT 1 FROM t WHERE name = 'hidden'"))
    assert "SELECT" in "".join(segments(tmp_path))
    assert "hidden" not in "".join(segments(tmp_path))


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    one = Collected(tmp_path)
    one.send(*tree())
    with next(tmp_path.iterdir()).open("ab") as file:
        file.write(b'{"spans":[["shop"')
    two = after_a_kill(one, tmp_path).passes(60)
    assert [e.calls for e in two.entries] == [1]


def test_lines_that_mean_nothing_do_not_keep_the_collector_from_starting(tmp_path: Path) -> None:
    lines = [
        "[]",
        "{",
        '{"windows":[{"format":1}]}',
        '{"spans":[["a",[[1]]]]}',
        '{"taken":[1]}',
        '{"streams":[["k",[1]]]}',
    ]
    (tmp_path / "otlp-000000000001.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    made = Collected(tmp_path)
    made.send(*tree())
    assert [e.calls for e in made.passes(60).entries] == [1]


def test_a_full_journal_asks_to_come_later_and_closes_the_oldest_traces(tmp_path: Path) -> None:
    made = Collected(tmp_path, journal_mb=1)
    made.broken = True
    answers = []
    for n in range(1, 60):
        answers.append(made.send(*(span for m in range(100) for span in tree(trace=100 * n + m))))
    assert (answers[0].status, answers[-1].status, answers[-1].retry_after) == (200, 429, 5.0)
    taken = sum(answer.status == 200 for answer in answers)
    made.broken = False
    made.passes(60)
    assert made.send(*tree()).status == 200
    assert sum(e.calls for e in made.entries) == taken * 100


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file"):
        OtlpReceiver(lambda windows: None, lambda: BEGIN, OtlpSettings(), directory=tmp_path / "file")


def test_what_cannot_be_written_down_is_not_taken(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    made = Collected(directory)
    directory.rmdir()
    answer = made.send(*tree())
    assert (answer.status, answer.retry_after) == (503, 5.0)
    made.passes(60)
    assert made.windows == []
    directory.mkdir()
    assert made.send(*tree()).status == 200
    made.passes(60)
    assert [e.calls for e in made.entries] == [1]


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.sampled_from(["root", "children", "pass", "kill", "break", "mend"]), max_size=25))
def test_every_span_that_was_taken_is_counted_once(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("journal")
    made, roots, queries = Collected(directory), 0, 0
    for number, step in enumerate([*steps, "mend"], 1):
        at = (made.now - BEGIN) / 1e6
        if step == "root":
            roots += made.send(request(1, trace=number // 3 + 1, at=at)).status == 200
        elif step == "children":
            queries += made.send(query(number + 1, 1, SELECT, trace=number // 3 + 1, at=at)).status == 200
        elif step == "pass":
            made.passes(9)
        elif step == "kill":
            made = after_a_kill(made, directory)
        else:
            made.broken = step == "break"
    made.passes(400).closed()
    asked = {n // 3 + 1 for n, step in enumerate([*steps, "mend"], 1) if step == "root"}
    assert sum(e.calls for e in made.entries) == len(asked)
    assert sum(q.executions for w in made.windows for q in w.queries) == queries
    assert roots >= len(asked)
