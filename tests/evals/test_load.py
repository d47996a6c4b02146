"""The load driver against a real server of the standard library, and its parts on known numbers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import pytest

from evals.services.latency import Sample, by_name, percentile, summarise, table
from evals.services.load import Limits, Run, UsageError, main, parse_target
from evals.services.traffic import Mix, MixError, load_mix, parse_mix

SHOP_MIX = Path(__file__).parents[2] / "evals" / "services" / "shop" / "mix.toml"
MIX = {
    "think_mean_ms": 1.0,
    "parameters": {"n": {"count": 50, "zipf": 1.0}, "word": {"choices": ["a b", "c/d"], "weights": [3, 1]}},
    "request": [
        {"name": "GET item", "path": "/items/$n?word=$word", "weight": 4},
        {"name": "POST item", "method": "POST", "path": "/items/", "weight": 1, "expect": [201],
         "body": {"id": "$n", "tags": ["$word", "x-$n"]}},
        {"name": "GET report", "path": "/report", "once": 3},
    ],
}  # fmt: skip


def first(mix: Mix, seed: int, user: int, count: int = 200) -> list[tuple[str, str, bytes | None, float]]:
    return [(r.name, r.path, r.body, r.think_s) for r in islice(mix.requests(seed, user), count)]


class TestTraffic:
    def test_the_same_seed_and_user_give_the_same_sequence(self) -> None:
        assert first(parse_mix(MIX), 7, 1) == first(parse_mix(MIX), 7, 1)

    def test_another_seed_or_user_gives_another_sequence(self) -> None:
        sequences = [first(parse_mix(MIX), seed, user) for seed, user in ((7, 1), (8, 1), (7, 2))]
        assert sequences[0] != sequences[1]
        assert sequences[0] != sequences[2]

    def test_the_sequence_does_not_depend_on_who_else_draws(self) -> None:
        mix = parse_mix(MIX)
        one, two = mix.requests(7, 0), mix.requests(7, 1)
        alternating = [next(one) if n % 2 == 0 else next(two) for n in range(40)]
        assert alternating[1::2] == list(islice(mix.requests(7, 1), 20))

    def test_weights_and_skew_are_followed(self) -> None:
        requests = list(islice(parse_mix(MIX).requests(7, 1), 4000))
        items = [r for r in requests if r.name == "GET item"]
        assert 0.77 < len(items) / len(requests) < 0.83
        hits = [int(r.path.split("?")[0].rsplit("/", 1)[1]) for r in items]
        assert hits.count(1) > 4 * hits.count(10) > 0
        assert set(hits) <= set(range(1, 51))

    def test_once_is_the_given_request_of_the_first_user_only(self) -> None:
        mix = parse_mix(MIX)
        assert [n for n, r in enumerate(first(mix, 7, 0), start=1) if r[0] == "GET report"] == [3]
        assert not any(r[0] == "GET report" for r in first(mix, 7, 1))

    def test_paths_are_quoted_and_numbers_stay_numbers(self) -> None:
        requests = list(islice(parse_mix(MIX).requests(7, 1), 100))
        paths = {r.path.partition("word=")[2] for r in requests if r.name == "GET item"}
        assert paths == {"a%20b", "c%2Fd"}
        body = json.loads(next(r.body for r in requests if r.body))
        assert isinstance(body["id"], int)
        assert body["tags"][0] in ("a b", "c/d")
        assert body["tags"][1] == f"x-{body['id']}"

    def test_think_time_is_bounded_and_near_its_mean(self) -> None:
        thinks = [r[3] for r in first(parse_mix(MIX), 7, 1, 4000)]
        assert max(thinks) <= 0.005
        assert 0.0009 < sum(thinks) / len(thinks) < 0.0011

    def test_scale_changes_only_what_is_marked(self) -> None:
        parameters = {"a": {"count": 100, "scaled": True}, "b": {"count": 100}}
        mix = parse_mix({**MIX, "parameters": {**MIX["parameters"], **parameters}}, scale=0.1)  # type: ignore[dict-item]
        assert len(mix.parameters["a"].values) == 10
        assert len(mix.parameters["b"].values) == 100

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"path": "/", "weight": 1}, "no name"),
            ({"name": "x", "path": "/"}, "either weight or once"),
            ({"name": "x", "path": "/", "weight": 0}, "above 0"),
            ({"name": "x", "path": "/", "once": 1}, "no .* with a weight"),
            ({"name": "x", "path": "/$who", "weight": 1}, r"uses \$who: add it under"),
        ],
    )
    def test_a_wrong_mix_is_refused_with_the_key(self, request_: dict[str, object], message: str) -> None:
        with pytest.raises(MixError, match=message):
            parse_mix({"request": [request_]})

    def test_a_missing_mix_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(MixError, match=r"nowhere\.toml: cannot be read"):
            load_mix(tmp_path / "nowhere.toml")

    def test_the_mix_of_the_shop_can_be_read(self) -> None:
        mix = load_mix(SHOP_MIX)
        planted = sum(t.weight for t in mix.templates if t.weight == 14)
        assert planted / sum(t.weight for t in mix.templates) < 0.06
        assert len(first(mix, 1, 0)) == 200


class TestLatency:
    def test_percentiles_are_nearest_rank(self) -> None:
        ordered = [float(n) for n in range(1, 101)]
        assert [percentile(ordered, q) for q in (0.5, 0.9, 0.99, 1.0)] == [50.0, 90.0, 99.0, 100.0]
        assert percentile([15.0, 20.0, 35.0, 40.0, 50.0], 0.4) == 20.0
        assert percentile([3.0], 0.01) == 3.0

    @pytest.mark.parametrize(("ordered", "q"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
    def test_what_has_no_percentile_is_refused(self, ordered: list[float], q: float) -> None:
        with pytest.raises(ValueError, match=r"empty sequence|q must be"):
            percentile(ordered, q)

    def test_a_summary_counts_errors_but_times_only_answers(self) -> None:
        samples = [Sample("a", ms, 200, True) for ms in (1.0, 2.0, 3.0)]
        samples += [Sample("a", 9.0, 500, False), Sample("a", 5000.0, None, False)]
        summary = summarise(samples)
        assert (summary.count, summary.errors) == (5, 2)
        assert (summary.p50_ms, summary.p99_ms, summary.mean_ms) == (2.0, 9.0, 3.75)
        assert summary.statuses == {"200": 3, "500": 1, "no answer": 1}

    def test_a_summary_without_answers_has_no_percentiles(self) -> None:
        summary = summarise([Sample("a", 1.0, None, False)])
        assert (summary.count, summary.p50_ms, summary.mean_ms) == (1, None, None)

    def test_the_table_has_the_most_expensive_endpoint_first(self) -> None:
        samples = [Sample("cheap", 1.0, 200, True)] * 5 + [Sample("dear", 50.0, 200, True)]
        lines = table(by_name(samples), summarise(samples)).splitlines()
        assert [line.split()[0] for line in lines[1:]] == ["dear", "cheap", "overall"]


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        if len(self.server.seen) > self.server.dies_after:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b"[]"
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Service(ThreadingHTTPServer):
    """Answers until it has answered `dies_after` requests, and then drops every connection."""

    daemon_threads = True

    def __init__(self, dies_after: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []
        self.dies_after = dies_after
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(dies_after: int = 1_000_000) -> Iterator[Service]:
    with Service(dies_after) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()


@pytest.fixture
def mix_file(tmp_path: Path) -> Path:
    path = tmp_path / "mix.toml"
    path.write_text(
        'think_mean_ms = 1.0\n[parameters]\nn = { count = 9 }\n[[request]]\nname = "GET ok"\npath = "/ok/$n"\n'
        'weight = 3\n[[request]]\nname = "GET broken"\npath = "/broken"\nweight = 1\n'
    )
    return path


def drive(url: str, mix: Path, *more: str) -> int:
    return main(["--base-url", url, "--mix", str(mix), "--users", "2", "--max-requests", "60", *more])


class TestRun:
    def test_what_was_sent_and_answered_is_reported(
        self, mix_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with serving() as service:
            assert drive(service.url, mix_file, "--json", str(tmp_path / "out.json")) == 0
        result = json.loads((tmp_path / "out.json").read_text())
        assert len(service.seen) == 60 == result["overall"]["count"]
        broken = result["endpoints"]["GET broken"]
        assert broken["errors"] == broken["count"] == service.seen.count("/broken") > 0
        assert result["endpoints"]["GET ok"]["errors"] == 0
        assert result["died"] is None
        assert "GET broken" in capsys.readouterr().out

    def test_each_user_sends_its_own_sequence_from_the_start(self, mix_file: Path) -> None:
        with serving() as service:
            drive(service.url, mix_file, "--seed", "5")
        mix = load_mix(mix_file)
        expected = [[r.path for r in islice(mix.requests(5, user), 60)] for user in (0, 1)]
        split = next(
            (n, 60 - n) for n in range(61) if sorted(expected[0][:n] + expected[1][: 60 - n]) == sorted(service.seen)
        )
        assert min(split) > 0

    def test_time_ends_a_run(self, mix_file: Path) -> None:
        with serving() as service:
            run = Run(parse_target(service.url), load_mix(mix_file), Limits(0.2, 2, 100_000), 1)
            run.execute()
        assert run.died is None
        assert run.samples
        assert run.elapsed_s <= 0.2001

    def test_warm_up_is_sent_but_not_recorded(self, mix_file: Path) -> None:
        with serving() as service:
            run = Run(parse_target(service.url), load_mix(mix_file), Limits(0.1, 2, 100_000, warmup_s=0.2), 1)
            run.execute()
        assert 0 < len(run.samples) < len(service.seen)

    def test_a_service_that_dies_is_reported(self, mix_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with serving(dies_after=20) as service:
            assert drive(service.url, mix_file) == 3
        assert "stopped answering: 3 requests in a row" in capsys.readouterr().err
        assert len(service.seen) < 30

    def test_a_service_that_was_never_there_is_reported(
        self, mix_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.socket() as placeholder:
            placeholder.bind(("127.0.0.1", 0))
            assert drive(f"http://127.0.0.1:{placeholder.getsockname()[1]}", mix_file) == 3
        assert "ConnectionRefusedError" in capsys.readouterr().err

    def test_a_service_that_hangs_ends_in_the_time_out(
        self, mix_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(32)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            assert drive(url, mix_file, "--timeout", "0.2", "--seconds", "30") == 3
        assert "timed out" in capsys.readouterr().err


class TestRefusals:
    @pytest.mark.parametrize("url", ["http://192.0.2.1:80", "http://0.0.0.0:8000", "http://[2001:db8::1]:80"])
    def test_other_machines_are_refused(self, url: str, mix_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert drive(url, mix_file) == 2
        assert "load is only sent to this machine" in capsys.readouterr().err

    @pytest.mark.parametrize("url", ["https://127.0.0.1:80", "127.0.0.1:80", "http://127.0.0.1:80/api", "http://"])
    def test_what_is_no_base_url_is_refused(self, url: str) -> None:
        with pytest.raises(UsageError, match="must look like"):
            parse_target(url)

    def test_loopback_is_accepted(self) -> None:
        assert parse_target("http://127.0.0.1:8123/").port == 8123
        assert parse_target("http://127.8.8.8:81").host == "127.8.8.8"

    @pytest.mark.parametrize(
        ("option", "value"), [("--seconds", "301"), ("--seconds", "0"), ("--users", "33"), ("--max-requests", "100001")]
    )
    def test_limits_are_hard(self, option: str, value: str, mix_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert drive("http://127.0.0.1:9", mix_file, option, value) == 2
        assert option in capsys.readouterr().err

    def test_a_wrong_mix_is_wrong_use(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert drive("http://127.0.0.1:9", tmp_path / "none.toml") == 2
        assert "none.toml" in capsys.readouterr().err
