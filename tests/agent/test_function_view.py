"""The view of a function: from real windows in the store, told to the fake runtime, or not there at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.conditions import Exemplar, Looked, Sample
from burnish.excerpt import excerpt
from burnish.finding import Finding
from burnish.function_facts import digits, function_json, readable
from burnish.function_model import FunctionView, Status
from burnish.function_text import function_text
from burnish.function_view import function_view
from burnish.job import Job
from burnish.testing import MemoryRuntime
from burnish.testing import windows as w
from burnish.testing.scripted import finding
from burnish.tokens import as_json, estimated
from burnish_tools.runtime import SqliteRuntime

VIEW, MODEL, OLD = "shop.views:orders", "shop.models:Order.total", "shop.views:old"
ENTRY = "GET orders/"
SQL = 'SELECT "lines"."id", "lines"."order_id", "lines"."sku" FROM "lines" WHERE "lines"."order_id" = ?'
NOW = 1_750_000_000.0
HOUR = 3600


def windows(minutes: int = 30, *, release: str = "a", start: float = 0.0, ms: float = 40, **more: Any) -> list[str]:
    """240 calls a minute of the view; each runs a statement twenty times through the model and calls one service."""
    return [
        w.window(
            release=release,
            instance=f"{release}-one",
            sequence=i,
            start=start,
            calls=[
                w.calls(VIEW, 240, wall_ms=ms * (0.9 + 0.2 * (i % 5) / 4), own_ms=ms / 4, entry=ENTRY),
                w.calls(MODEL, 4800, wall_ms=1, own_ms=0.5, entry=ENTRY, caller=VIEW),
            ],
            queries=[w.query(SQL, at=f"{MODEL}:31", times=4800, ms=0.5, entry=ENTRY)],
            per_call=[w.per_call(VIEW, SQL, at=f"{MODEL}:31", executions=[20] * 240, identical=0, entry=ENTRY)],
            **more,
        )
        for i in range(minutes)
    ]


def store(tmp_path: Path, *lines: str) -> SqliteRuntime:
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    runtime.refresh()
    return runtime


def view(
    runtime: SqliteRuntime | MemoryRuntime,
    name: str = VIEW,
    *,
    findings: Sequence[Finding] | None = (),
    jobs: Sequence[Job] = (),
    now: float = 0.0,
    names: Sequence[str] = (),
) -> FunctionView:
    profile = runtime.excerpt(name)
    assert profile is not None
    return function_view(name, runtime, profile, findings, jobs, now=now, names=names)


def test_how_often_how_slow_from_where_and_what_it_asks(tmp_path: Path) -> None:
    seen = view(store(tmp_path, *windows()))
    assert seen.status is Status.SEEN
    assert seen.calls_per_minute is not None
    assert seen.wall is not None
    assert seen.calls_per_minute.value == pytest.approx(240)
    assert seen.wall.mean.low < 40 * 1e6 < seen.wall.mean.high
    assert seen.own_share == pytest.approx(0.25, abs=0.01)
    (entry,) = seen.entries
    assert (entry.name, entry.time_share) == (ENTRY, pytest.approx(1.0))
    (statement,) = seen.statements
    assert (statement.executions_per_call, statement.site.line) == (pytest.approx(20), 31)
    assert [(c.name, c.per_call) for c in seen.callees] == [(MODEL, pytest.approx(20))]
    assert [c.name for c in view(store(tmp_path, *windows()), MODEL).callers] == [VIEW]


def test_an_excerpt_says_the_same_as_the_whole_profile(tmp_path: Path) -> None:
    runtime = store(tmp_path, *windows())
    whole = runtime.profile()
    assert whole is not None
    part = excerpt(whole, MODEL)
    assert {f.function for f in part.functions} == {MODEL}
    assert {f.function for f in excerpt(whole, VIEW).functions} == {VIEW, MODEL}
    assert part.queries == whole.queries
    for name in (VIEW, MODEL):
        assert function_view(name, runtime, whole, (), (), now=0.0) == view(runtime, name)


def test_releases_in_which_the_body_changed(tmp_path: Path) -> None:
    lines = [
        *windows(20, release="a", bodies={VIEW: "1"}),
        *windows(20, release="b", start=2 * HOUR, bodies={VIEW: "1"}),
        *windows(20, release="c", start=4 * HOUR, bodies={VIEW: "2"}, ms=60),
    ]
    (changed,) = view(store(tmp_path, *lines)).changed
    assert changed.release == "c"
    assert changed.before is not None
    assert changed.after is not None
    assert changed.before.high < 45e6 < 55e6 < changed.after.low
    assert (changed.calls_before, changed.calls_after) == (4800, 4800)


def test_silent_in_this_release(tmp_path: Path) -> None:
    first = w.window(release="a", calls={OLD: 50, VIEW: 10})
    second = w.window(release="b", start=7200, instance="two", calls={VIEW: 10})
    seen = view(store(tmp_path, first, second), OLD)
    assert seen.status is Status.SILENT
    assert seen.site is not None
    assert "50 in release a, the last in which it ran" in seen.no_data[0]
    assert function_json(seen)["status"] == "silent"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("shop.views:ordrs", "2 other functions of shop.views ran, so the module is observed"),
        ("billing.jobs:nightly", "no function of billing.jobs ran: it was not used, or it is not observed"),
    ],
)
def test_unknown_says_whether_the_module_is_observed(tmp_path: Path, name: str, says: str) -> None:
    seen = view(store(tmp_path, w.window(calls={OLD: 1, VIEW: 1})), name, names=[OLD, VIEW])
    assert seen.status is Status.UNKNOWN
    assert says in seen.no_data[0]
    assert (VIEW in seen.nearest) == name.startswith("shop")
    assert "how often" not in function_text(seen)


def test_old_data_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    runtime = store(tmp_path, *windows(3, start=NOW - 50 * HOUR, dropped={"functions": 2}))
    notes = view(runtime, now=NOW, findings=None).no_data
    assert "the data end 2.1 days ago" in notes
    assert "nothing has looked for findings yet: `burnish findings` does" in notes
    assert "the sensor left out 6 functions" in notes
    assert not [note for note in view(runtime, now=NOW - 50 * HOUR + 200).no_data if "ago" in note]


def slow_when_big(n: int = 40) -> list[Sample]:
    """Calls with many items are slow, all others are not."""
    rows = tuple(
        Exemplar(
            function=VIEW,
            sample="uniform",
            slow=i % 10 == 0,
            wall_ns=2_000_000_000 if i % 10 == 0 else 20_000_000,
            facts={"arg.items.size": 512 if i % 10 == 0 else 8},
        )
        for i in range(20)
    )
    looked = Looked(function=VIEW, calls=200, slow_calls=20, slow_kept=2, uniform_every=10, uniform_kept=20)
    return [Sample(looked, rows, i * 60 * 10**9) for i in range(n)]


def test_the_condition_under_which_it_is_slow(tmp_path: Path) -> None:
    real = store(tmp_path, *windows())
    profile = real.profile()
    assert profile is not None
    runtime = MemoryRuntime([profile], [real.series(VIEW, "a")], samples={(VIEW, "a"): slow_when_big()})
    seen = view(runtime)
    condition = seen.slow_when[0]
    assert condition.text.startswith("arg.items.size ≥")
    assert condition.slow_time.value == pytest.approx(1.0)
    assert condition.calls.value == pytest.approx(0.1)
    assert seen.looked_at == 800
    assert "slow when     arg.items.size ≥" in function_text(seen)
    assert not [note for note in seen.no_data if "looked at closely" in note]
    assert seen.entries[0].time_share is None  # the fake was told no hours


def job(function: str, number: int) -> Job:
    from burnish.finding import Candidate

    candidate = Candidate(finding=finding(function), saving_ns_per_minute=1.0, chance=0.5, risk=1.0)
    return Job(id=f"{number:012d}", candidate=candidate, base="c", created_unix=float(number))


def test_findings_and_jobs_about_it_and_about_nothing_else(tmp_path: Path) -> None:
    seen = view(
        store(tmp_path, *windows(2)),
        findings=[finding(VIEW), finding(MODEL)],
        jobs=[job(VIEW, 1), job(MODEL, 2), job(VIEW, 3)],
    )
    assert [f.function for f in seen.findings] == [VIEW]
    assert [j.id[-1] for j in seen.jobs] == ["3", "1"]
    text = function_text(seen)
    assert "scripted, ≥ 32,659 s per week" in text
    assert text.count("running at plan") == 2


def crowded(tmp_path: Path) -> FunctionView:
    """A function with more of everything than fits."""
    entries = [f"GET api/v2/customers/<int:pk>/orders/{i}/" for i in range(30)]
    statements = [f"{SQL} AND column_{i} = ?" for i in range(20)]
    line = w.window(
        calls=[
            *(w.calls(VIEW, 5, wall_ms=40, entry=e, caller=f"shop.module{i}:caller") for i, e in enumerate(entries)),
            *(w.calls(f"shop.helpers:helper_{i}", 9, entry=entries[0], caller=VIEW) for i in range(30)),
        ],
        per_call=[w.per_call(VIEW, s, at=f"{MODEL}:{i}", executions=[3] * 5) for i, s in enumerate(statements)],
    )
    return view(
        store(tmp_path, line),
        findings=[finding(VIEW, kind=f"kind_{i}") for i in range(9)],
        jobs=[job(VIEW, i) for i in range(9)],
    )


@pytest.mark.parametrize("tokens", [200, 400, 600, 2000])
def test_the_budget_is_kept_and_says_what_is_missing(tmp_path: Path, tokens: int) -> None:
    seen = crowded(tmp_path)
    facts = function_json(seen, tokens)
    assert estimated(as_json(facts)) <= tokens
    assert {"function", "status", "calls_per_min", "mean_ms", "ms", "more"} <= set(facts)
    assert json.loads(as_json(facts)) == facts
    for key, total in (("entries", 30), ("statements", 20), ("callees", 30), ("findings", 9)):
        assert len(facts.get(key, [])) + facts["more"].get(key, 0) == total


def test_a_small_function_fits_as_a_whole(tmp_path: Path) -> None:
    facts = function_json(view(store(tmp_path, *windows(3))))
    assert "more" not in facts
    assert (
        facts["statements"][0]["sql"]
        == "SELECT lines.id, lines.order_id, lines.sku FROM lines WHERE lines.order_id = ?"
    )


def test_one_screen_whatever_there_is(tmp_path: Path) -> None:
    text = function_text(crowded(tmp_path))
    assert len(text.splitlines()) <= 40
    assert "and 26 more" in text


def test_numbers_have_three_digits_and_statements_keep_their_ends() -> None:
    assert [digits(v) for v in (0.0, 1234567.8, 12.345, 0.00012345)] == [0, 1234568, 12.3, 0.000123]
    assert digits(float("inf")) is None
    columns = ", ".join(f'"orders"."column_{i}"' for i in range(30))
    assert readable(f'SELECT {columns} FROM "orders" WHERE "id" = ?') == "SELECT … FROM orders WHERE id = ?"
    assert len(readable("SELECT " + "x" * 500)) == 110
