"""What every dataset and every store of it has to do.

`RuntimeContract`: a test class gives `runtime(tmp_path, *lines)` and inherits the rest. `StoreContract` beside it
(`store_contract.py`) is for stores, which take windows in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.excerpt import excerpt
from burnish.histogram import Histogram
from burnish.protocols import Runtime
from burnish.testing import windows as w

LIST, ITEM = "shop.views:orders", "shop.models:Order.total"
ITEM_SQL = "SELECT * FROM item WHERE order_id = ?"
LIST_SQL = "SELECT * FROM orders LIMIT ?"
SECOND = 10**9
HOUR = 3600 * SECOND


class RuntimeContract:
    """Inherit, and give `runtime`."""

    def runtime(self, tmp_path: Path, *lines: str) -> Runtime:
        """A store of service `shop`, environment `production`, that holds these windows."""
        raise NotImplementedError

    def test_an_empty_dataset_has_no_release_and_no_profile(self, tmp_path: Path) -> None:
        runtime = self.runtime(tmp_path)
        assert list(runtime.releases()) == []
        assert runtime.profile() is None
        assert runtime.profile("a") is None
        assert runtime.series(LIST, "a").points == ()

    def test_releases_come_in_the_order_of_their_first_window_and_not_of_their_names(self, tmp_path: Path) -> None:
        runtime = self.runtime(
            tmp_path,
            w.window(release="z", start=0, calls={LIST: 3}),
            w.window(release="a", start=600, calls={LIST: 5}, instance="two"),
            w.window(release="z", start=1200, calls={LIST: 4}, instance="three"),
        )
        assert [(r.name, r.windows, r.calls) for r in runtime.releases()] == [("z", 2, 7), ("a", 1, 5)]
        assert runtime.releases()[0].first_unix_ns == 0
        assert runtime.releases()[0].last_unix_ns == 1260 * SECOND
        newest = runtime.profile()
        assert newest is not None
        assert newest.release == "a"

    def test_a_profile_is_the_sum_of_its_windows(self, tmp_path: Path) -> None:
        profile = self.runtime(
            tmp_path,
            w.window(calls=[w.calls(LIST, 2, wall_ms=[10, 20], own_ms=[1, 2], entry="GET orders/")]),
            w.window(calls=[w.calls(LIST, 1, wall_ms=900, own_ms=3, entry="GET orders/")], sequence=1),
            w.window(calls=[w.calls(LIST, 4, wall_ms=5, entry="POST orders/", caller="m:f")], instance="two"),
        ).profile("a")
        assert profile is not None
        seen = profile.function(LIST)
        assert seen is not None
        assert seen.calls == 7
        assert seen.entries == {"GET orders/": 3, "POST orders/": 4}
        assert seen.callers == {"": 3, "m:f": 4}
        assert seen.file == "shop/views.py"
        assert seen.wall == Histogram.of([10e6, 20e6, 900e6, *[5e6] * 4])
        assert seen.own == Histogram.of([1e6, 2e6, 3e6, *[5e6] * 4])
        assert profile.instances == 2
        assert profile.windows == 3

    def test_an_excerpt_is_what_of_the_profile_concerns_one_function(self, tmp_path: Path) -> None:
        runtime = self.runtime(
            tmp_path,
            w.window(
                calls=[w.calls(LIST, 4, entry="GET orders/"), w.calls(ITEM, 8, entry="GET orders/", caller=LIST)],
                queries=[w.query(ITEM_SQL, at=f"{ITEM}:31", times=8, entry="GET orders/")],
                per_call=[w.per_call(LIST, ITEM_SQL, at=f"{ITEM}:31", executions=[2] * 4, entry="GET orders/")],
            ),
            w.window(calls={"m:other": 3}, sequence=1),
        )
        whole = runtime.profile("a")
        assert whole is not None
        for name in (LIST, ITEM, "m:other", "m:nothing"):
            assert runtime.excerpt(name, "a") == excerpt(whole, name)
        part = runtime.excerpt(ITEM)
        assert part is not None
        assert ([f.function for f in part.functions], len(part.queries), part.fan_outs) == ([ITEM], 1, ())
        assert runtime.excerpt(LIST, "no such release") is None

    def test_entries_keep_their_errors_and_queries(self, tmp_path: Path) -> None:
        row = w.entry("GET orders/", 3, wall_ms=7, queries=4) | {"errors": {"ValueError": 2}}
        lines = [w.window(entries=[row], sequence=i) for i in range(2)]
        profile = self.runtime(tmp_path, *lines).profile()
        assert profile is not None
        (entry,) = profile.entries
        assert (entry.entry, entry.kind, entry.calls, entry.errors) == ("GET orders/", "http", 6, {"ValueError": 4})
        assert entry.queries.mean == 4

    def test_queries_are_kept_by_call_site(self, tmp_path: Path) -> None:
        def line(sequence: int, rows: int | None) -> str:
            queries = [
                w.query(ITEM_SQL, at=f"{ITEM}:31", times=5, ms=2, rows=5),
                w.query(ITEM_SQL, at=f"{ITEM}:40", times=1, rows=rows, entry="job:nightly"),
            ]
            return w.window(queries=queries, sequence=sequence)

        profile = self.runtime(tmp_path, line(0, 1), line(1, None)).profile()
        assert profile is not None
        assert [(q.site.line, q.executions, q.rows, q.entries) for q in profile.queries] == [
            (31, 10, 10, {w.ENTRY: 10}),
            (40, 2, None, {"job:nightly": 2}),
        ]
        assert profile.queries[0].statement == ITEM_SQL
        assert profile.queries[0].wall.sum == 20e6

    def test_fan_outs_add_and_the_most_frequent_driver_is_kept(self, tmp_path: Path) -> None:
        def line(sequence: int, by: str, rows: list[int]) -> str:
            driver = w.driver(by, at=f"{LIST}:12", rows=rows)
            row = w.per_call(LIST, ITEM_SQL, at=f"{ITEM}:31", executions=rows, identical=1, driver=driver)
            return w.window(per_call=[row], sequence=sequence)

        profile = self.runtime(
            tmp_path, line(0, LIST_SQL, [4, 6]), line(1, LIST_SQL, [9]), line(2, "SELECT other", [8, 2])
        ).profile()
        assert profile is not None
        (fan_out,) = profile.fan_outs
        assert (fan_out.calls, fan_out.identical, fan_out.executions.sum) == (5, 3, 29)
        assert fan_out.driver is not None
        assert fan_out.driver.statement == LIST_SQL
        assert (fan_out.driver.n, fan_out.driver.sum_x, fan_out.driver.sum_xy) == (3, 19, 16 + 36 + 81)

    def test_observed_time_counts_overlapping_instances_once_and_gaps_not_at_all(self, tmp_path: Path) -> None:
        """
        one  ├──60──┤            ├──60──┤
        two      ├──60──┤
             0   30     90       300    360
        """
        profile = self.runtime(
            tmp_path,
            w.window(calls={LIST: 1}),
            w.window(calls={LIST: 1}, start=30, instance="two"),
            w.window(calls={LIST: 1}, start=300, instance="three"),
        ).profile()
        assert profile is not None
        assert profile.observed_seconds == 150
        assert (profile.start_unix_ns, profile.end_unix_ns) == (0, 360 * SECOND)

    def test_what_sensors_left_out_is_told(self, tmp_path: Path) -> None:
        lines = [w.window(calls={LIST: 1}, dropped={"statements": 3}, sequence=i) for i in range(2)]
        profile = self.runtime(tmp_path, *lines).profile()
        assert profile is not None
        assert profile.dropped == {"statements": 6}

    def test_changed_code_shows_as_the_newest(self, tmp_path: Path) -> None:
        lines = [w.window(calls={LIST: 1}, bodies={LIST: body}, sequence=i) for i, body in enumerate(["old", "new"])]
        profile = self.runtime(tmp_path, *lines).profile()
        assert profile is not None
        (function,) = profile.functions
        assert (function.body, function.calls) == ("new", 2)

    def test_a_series_has_a_point_for_each_window_and_entry(self, tmp_path: Path) -> None:
        per_call = [w.per_call(LIST, ITEM_SQL, at=f"{ITEM}:31", executions=[4, 5])]
        runtime = self.runtime(
            tmp_path,
            w.window(calls=[w.calls(LIST, 3, wall_ms=2)], sequence=1, seconds=30),
            w.window(calls=[w.calls(LIST, 2, wall_ms=10)], per_call=per_call, seconds=30),
            w.window(calls={"m:other": 9}, release="b", start=600, instance="two"),
        )
        points = runtime.series(LIST, "a").points
        assert [(p.start_unix_ns, p.seconds, p.instance, p.entry) for p in points] == [
            (0, 30, "one", w.ENTRY),
            (30 * SECOND, 30, "one", w.ENTRY),
        ]
        assert [(p.calls, p.wall_ns, p.queries) for p in points] == [(2, 20e6, 9), (3, 6e6, 0)]
        assert runtime.series(LIST, "b").points == ()

    def test_the_series_of_entries_has_a_point_for_each_window_and_entry(self, tmp_path: Path) -> None:
        entries = [w.entry("GET a/", 3, wall_ms=2, queries=4), w.entry("GET b/", 1, wall_ms=9)]
        runtime = self.runtime(
            tmp_path,
            w.window(entries=entries, calls={LIST: 1}, seconds=30),
            w.window(entries=entries[1:], calls={LIST: 1}, sequence=1, seconds=30),
        )
        points = runtime.entry_series("a").points
        assert [(p.start_unix_ns, p.entry, p.calls, p.wall_ns, p.queries) for p in points] == [
            (0, "GET a/", 3, 6e6, 12),
            (0, "GET b/", 1, 9e6, 0),
            (30 * SECOND, "GET b/", 1, 9e6, 0),
        ]
        assert runtime.entry_series("b").points == ()

    def test_other_services_and_environments_stay_apart(self, tmp_path: Path) -> None:
        runtime = self.runtime(
            tmp_path,
            w.window(calls={LIST: 1}),
            w.window(calls={LIST: 10}, service="billing", instance="two"),
            w.window(calls={LIST: 100}, environment="staging", instance="three"),
        )
        profile = runtime.profile()
        assert profile is not None
        assert [f.calls for f in profile.functions] == [1]
        assert [r.calls for r in runtime.releases()] == [1]
        assert len(runtime.series(LIST, "a").points) == 1

    @pytest.mark.parametrize("hours, calls", [(0, 96), (1, 95), (23.5, 72), (48, 48), (95, 1), (96, None)])
    def test_since_cuts_between_windows_however_they_were_added_up(
        self, tmp_path: Path, hours: float, calls: int | None
    ) -> None:
        """One window at the start of each of 96 hours."""
        lines = [w.window(calls={LIST: 1}, start=hour * 3600, instance=f"i{hour}") for hour in range(96)]
        profile = self.runtime(tmp_path, *lines).profile(since_unix_ns=int(hours * 3600 * SECOND))
        assert (profile.functions[0].calls if profile else None) == calls
        assert (profile.windows if profile else None) == calls

    def test_since_within_an_hour_counts_single_windows(self, tmp_path: Path) -> None:
        lines = [w.window(calls={LIST: 1}, sequence=i) for i in range(180)]
        profile = self.runtime(tmp_path, *lines).profile(since_unix_ns=50 * 60 * SECOND)
        assert profile is not None
        assert profile.functions[0].calls == 130
        assert profile.functions[0].wall.count == 130

    def test_calls_of_other_services_are_kept_by_peer_and_call_site(self, tmp_path: Path) -> None:
        def line(sequence: int) -> str:
            rows = [
                w.dependency("pay:443", at=f"{LIST}:9", n=2, ms=30, errors={"HTTP 503": 1}, timeouts=1, retries=3),
                w.dependency("cache:6379", at=f"{LIST}:8", kind="redis", operation="GET", entry="job:nightly"),
            ]
            return w.window(calls={LIST: 2}, dependencies=rows, sequence=sequence)

        profile = self.runtime(tmp_path, line(0), line(1)).profile()
        assert profile is not None
        http, redis = profile.dependencies
        assert (http.kind, http.peer, http.operation, http.site.line) == ("http", "pay:443", "GET", 9)
        assert (http.calls, http.errors, http.timeouts, http.retries) == (4, {"HTTP 503": 2}, 2, 6)
        assert http.wall == Histogram.of([30e6] * 4)
        assert http.entries == {w.ENTRY: 4}
        assert (redis.kind, redis.entries) == ("redis", {"job:nightly": 2})

    def test_errors_of_sampling_add_up_in_quadrature(self, tmp_path: Path) -> None:
        sampled = [
            w.calls(LIST, 100, wall_ms=1, error={"calls": calls, "wall": wall}) for calls, wall in ((3, 6e6), (4, 8e6))
        ]
        lines = [w.window(calls=[row, w.calls(ITEM, 5)], sequence=i) for i, row in enumerate(sampled)]
        profile = self.runtime(tmp_path, *lines).profile()
        assert profile is not None
        errors = {f.function: f.errors_of_sampling for f in profile.functions}
        assert errors == {LIST: pytest.approx((5, 10e6)), ITEM: (0, 0)}

    def test_history_has_the_sums_of_each_hour_or_day_over_all_releases(self, tmp_path: Path) -> None:
        per_call = [w.per_call(LIST, ITEM_SQL, at=f"{ITEM}:31", executions=[4, 5])]
        row = w.calls(LIST, 2, wall_ms=10, own_ms=1, errors={"ValueError": 1, "KeyError": 1})
        runtime = self.runtime(
            tmp_path,
            *(w.window(calls=[row], per_call=per_call, sequence=i) for i in range(2)),
            w.window(calls={ITEM: 7}, release="b", start=3600, instance="two"),
            w.window(calls={LIST: 1}, release="b", start=25 * 3600, instance="two", sequence=1),
        )
        hours = runtime.history("hour")
        assert [(h.start_unix_ns // HOUR, h.release, h.function, h.calls) for h in hours] == [
            (0, "a", "", 4),
            (0, "a", LIST, 4),
            (1, "b", "", 7),
            (1, "b", ITEM, 7),
            (25, "b", "", 1),
            (25, "b", LIST, 1),
        ]
        first = hours[1]
        assert (first.entry, first.wall_ns, first.own_ns, first.queries, first.errors) == (w.ENTRY, 40e6, 4e6, 18, 4)
        days = runtime.history("day", functions=["", LIST])
        assert [(d.start_unix_ns // HOUR, d.release, d.function, d.calls) for d in days] == [
            (0, "a", "", 4),
            (0, "a", LIST, 4),
            (0, "b", "", 7),
            (24, "b", "", 1),
            (24, "b", LIST, 1),
        ]
        assert [d.calls for d in runtime.history("day", since_unix_ns=24 * HOUR, functions=[LIST])] == [1]
        assert list(runtime.history("hour", functions=["m:never"])) == []

    def test_a_span_has_the_distributions_of_its_hours_by_entry(self, tmp_path: Path) -> None:
        runtime = self.runtime(
            tmp_path,
            *(
                w.window(calls=[w.calls(LIST, 2, wall_ms=hour + 1)], start=hour * 3600, instance=f"i{hour}")
                for hour in range(72)
            ),
            w.window(calls=[w.calls(LIST, 3, wall_ms=500, entry="job:x")], release="b", start=30 * 3600, instance="b"),
        )
        found = runtime.span(LIST, 20 * HOUR, 50 * HOUR)
        assert list(found) == [w.ENTRY, "job:x"]
        assert found[w.ENTRY].wall == Histogram.of([(hour + 1) * 1e6 for hour in range(20, 50) for _ in range(2)])
        assert (found["job:x"].calls, found["job:x"].entries) == (3, {"job:x": 3})
        assert list(runtime.span(LIST, 20 * HOUR, 50 * HOUR, release="b")) == ["job:x"]
        assert runtime.span(LIST, 3 * HOUR, 4 * HOUR)[w.ENTRY].wall.max == 4e6
        assert runtime.span(LIST, 72 * HOUR, 80 * HOUR) == {}
        assert runtime.span("m:never", 0, 80 * HOUR) == {}

    def test_samples_come_window_by_window(self, tmp_path: Path) -> None:
        def line(sequence: int, **content: Any) -> str:
            rows = [
                w.exemplar(LIST, wall_ms=900, slow=True, facts={"arg.items.size": 512, "note.cache": "miss"}),
                w.exemplar(LIST, wall_ms=2, facts={"first": True}),
                w.exemplar(ITEM, wall_ms=1),
            ]
            counts = [w.condition(LIST, 40, slow_calls=3), w.condition(ITEM, 80)]
            return w.window(calls={LIST: 40, ITEM: 80}, exemplars=rows, conditions=counts, sequence=sequence, **content)

        runtime = self.runtime(tmp_path, line(1), line(0), line(2, release="b"))
        first, second = runtime.samples(LIST, "a")
        assert (first.start_unix_ns, second.start_unix_ns) == (0, 60 * SECOND)
        assert (first.looked.calls, first.looked.slow_calls, first.looked.slow_ns) == (40, 3, 100_000_000)
        assert [(e.function, e.slow, e.wall_ns, e.facts) for e in first.exemplars] == [
            (LIST, True, 900_000_000, {"arg.items.size": 512, "note.cache": "miss"}),
            (LIST, False, 2_000_000, {"first": True}),
        ]
        assert first.exemplars[0].facts["arg.items.size"] == 512
        assert [s.start_unix_ns for s in runtime.samples(LIST, "a", since_unix_ns=1)] == [60 * SECOND]
        assert len(runtime.samples(ITEM, "b")) == 1
        assert list(runtime.samples("m:never", "a")) == []
