"""Commands on a real dataset: the sensor's format in, tables and JSON out, a clear word for every wrong input."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from burnish.cli import handler, main, parser
from burnish.testing import windows as w
from tests.agent.scenario import git

STATEMENT = 'SELECT "customers"."id" FROM "customers" WHERE "customers"."id" = ? LIMIT ?'
SITE = "shop.views:orders:31"
DRIVER = 'SELECT "orders"."id" FROM "orders" LIMIT ?'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a configuration, an origin and three minutes of production with an N+1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "burnish.toml").write_text(
        '[service]\nname = "shop"\nrepository = "origin.git"\n[runtime]\nwindows = "windows"\n', encoding="utf-8"
    )
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    rows = [10, 20, 30] * 20
    for i in range(12):
        w.write(
            tmp_path / "windows",
            w.window(
                sequence=i,
                seconds=15,
                calls=[
                    w.calls("shop.views:orders", 60, wall_ms=40, own_ms=10, entry="GET orders/"),
                    w.calls("shop.views:health", 600, wall_ms=0.002, entry="GET health/"),
                ],
                queries=[w.query(STATEMENT, at=SITE, times=1200, ms=0.5, rows=1200, entry="GET orders/")],
                per_call=[
                    w.per_call(
                        "shop.views:orders",
                        STATEMENT,
                        at=SITE,
                        executions=rows,
                        ms=0.5,
                        entry="GET orders/",
                        driver=w.driver(DRIVER, at="shop.views:orders:29", rows=rows),
                    )
                ],
            ),
        )
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    streams = capsys.readouterr()
    return streams.err if status else streams.out


def test_hotspots(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "shop.views:orders" in said(capsys, "hotspots").splitlines()[2]
    rows = json.loads(said(capsys, "hotspots", "--by", "calls", "--top", "1", "--json"))
    assert [row["function"] for row in rows] == ["shop.views:health"]
    assert rows[0]["calls_per_minute"] == pytest.approx(2400)


def test_what_a_large_profile_does_not_hold_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rare = {f"shop.rare:f{i}": 1 for i in range(2_500)}
    w.write(place / "windows", w.window(sequence=99, start=180, seconds=15, calls=rare))
    text = said(capsys, "hotspots")
    assert re.search(r"Not looked at: [\d,]+ functions that cost least, with \d+\.\d% of all own time\.", text)
    assert "Not looked at: " in said(capsys, "findings")
    left = json.loads(said(capsys, "findings", "--json"))["left_out"]
    assert 500 <= left["functions"] < 2_500
    assert 0 < left["own_share"] < 1
    assert json.loads(said(capsys, "hotspots", "--json"))


def test_findings_name_the_function_the_site_and_a_lower_bound(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = json.loads(said(capsys, "findings", "--json"))
    (found,) = everything["candidates"]
    finding = found["finding"]
    assert (found["place"], finding["kind"], finding["function"]) == (1, "n_plus_one", "shop.views:orders")
    assert finding["evidence"]["site"]["line"] == 31
    assert finding["evidence"]["slope"]["value"] == pytest.approx(1, abs=0.05)
    assert found["saving_ns_per_minute"] > 0
    week = found["seconds_per_week"]
    assert 0 < week["low"] <= week["value"]
    assert found["queries_per_minute"] == pytest.approx(240 * 19, rel=0.1)
    assert everything["told"] == []
    assert {p["by"] for p in everything["passed"]} >= {"cpu_hot"}


def test_findings_by_kind_and_with_what_was_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "findings")
    assert "20.0 × per call at shop/views.py:31, 1.00 per row" in text
    assert "left alone" not in text
    assert "left alone" in said(capsys, "findings", "--all")
    only = json.loads(said(capsys, "findings", "--kind", "cpu_hot", "--json"))
    assert only["candidates"] == []
    assert {p["by"] for p in only["passed"]} == {"cpu_hot"}
    assert "no detector is named 'n_plus'; there are cpu_hot," in said(capsys, "findings", "--kind", "n_plus", status=2)


def test_function_by_the_end_of_its_name(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(said(capsys, "function", "orders", "--json"))
    assert facts["function"] == "shop.views:orders"
    assert facts["observed"]["calls"] == 720
    assert facts["entries"][0]["entry"] == "GET orders/"
    assert facts["statements"][0]["per_call"] == pytest.approx(20)
    assert facts["findings"][0]["kind"] == "n_plus_one"
    text = said(capsys, "function", "orders", "--release", "a")
    assert "GET orders/ 240.0/min" in text
    assert "n_plus_one, ≥" in text


def test_function_under_a_budget(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(said(capsys, "function", "orders", "--json", "--tokens", "150"))
    assert facts["calls_per_min"][0] == 240
    assert facts["more"]["statements"] == 1


def test_an_unknown_function_is_json_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["function", "shop.views:ordrs", "--json"]) == 2
    facts = json.loads(capsys.readouterr().out)
    assert (facts["status"], facts["nearest"]) == ("unknown", ["shop.views:orders"])


def test_why_answers_for_a_candidate_and_for_a_function_without_finding(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(said(capsys, "why", "orders", "--json"))["candidate"][0]["place"] == 1
    assert json.loads(said(capsys, "why", "health", "--json"))["passed"]
    assert "shop.views:health" in said(capsys, "why", "health")


def test_releases_and_empty_desks(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(said(capsys, "releases", "--json"))[0]["windows"] == 12
    assert "No job yet" in said(capsys, "jobs")
    assert json.loads(said(capsys, "outcomes", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("why", "ordrs"), "did you mean shop.views:orders?"),
        (("function", "nothing.like:it"), "no function of nothing.like ran: it was not used, or it is not observed"),
        (("function", "shop.views:ordrs"), "did you mean shop.views:orders?"),
        (("function", "orders", "--release", "zz"), "release 'zz' is not in the data"),
        (("hotspots", "--release", "zz"), "release 'zz' is not in the data; the newest are a"),
        (("statements",), "service.database is no PostgreSQL"),
        (("show", "abc"), "no single job has an id that begins with 'abc'"),
        (("approve", "abc"), "no single job"),
        (("findings", "-c", "none.toml"), "none.toml: cannot be read"),
    ],
)
def test_wrong_names_get_a_clear_word(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    message = said(capsys, *arguments, status=2)
    assert says in message
    assert "Traceback" not in message


def test_no_data_says_where_it_should_be(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "burnish.toml").write_text('[service]\nname = "other"\nrepository = "x"\n', encoding="utf-8")
    for command in ("hotspots", "statements", "findings", "releases"):
        assert "there is no runtime data" in said(capsys, command, status=2)


def test_a_corrupt_dataset_is_named_with_the_mend(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "hotspots")
    for path in (place / ".burnish").glob("runtime.sqlite3*"):
        path.write_bytes(b"rubbish" * 1000)
    message = said(capsys, "hotspots", status=2)
    assert "runtime.sqlite3" in message
    assert "move it away" in message


def test_config_check_and_describe(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "valid" in said(capsys, "config", "check")
    rows = json.loads(said(capsys, "config", "describe", "--json"))
    assert ("service", "name") in {(row["section"], row["key"]) for row in rows}
    (place / "burnish.toml").write_text("[servce]\n", encoding="utf-8")
    assert "did you mean `service`?" in said(capsys, "config", "check", status=2)


def test_a_dry_run_scans_and_writes_no_job(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "n_plus_one" in said(capsys, "run", "--once", "--dry-run=scan")
    assert "No job yet" in said(capsys, "jobs")


def test_every_command_has_help_and_a_handler() -> None:
    names = parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert all(callable(handler(str(name))) for name in names)  # type: ignore[union-attr]
