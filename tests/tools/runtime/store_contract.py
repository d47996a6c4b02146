"""What every store has to do that takes windows in. A test class gives `make_store(tmp_path)` and inherits the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burnish.profile import Deployment
from burnish.protocols import Runtime
from burnish.testing import windows as w
from burnish_tools.runtime import Store, Taken
from burnish_tools.runtime.format import Window, parse
from tests.tools.runtime.contract import HOUR, ITEM, LIST, SECOND, RuntimeContract


def parsed(**content: Any) -> Window:
    return parse(w.window(**content))


def calls(store: Store, service: str = "shop") -> int:
    profile = store.runtime(service, "production").profile()
    return 0 if profile is None else sum(f.calls for f in profile.functions)


class StoreContract(RuntimeContract):
    """Inherit, and give `make_store`."""

    def make_store(self, tmp_path: Path) -> Store:
        """The store of this directory: empty the first time, and with what was added the next."""
        raise NotImplementedError

    def runtime(self, tmp_path: Path, *lines: str) -> Runtime:
        store = self.make_store(tmp_path)
        assert store.add([parse(line) for line in lines]) == Taken(len(lines))
        return store.runtime("shop", "production")

    def test_a_window_counts_once_however_often_it_comes(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        windows = [parsed(calls={LIST: 2}, sequence=i) for i in range(3)]
        assert store.add([*windows[:2], windows[0]]) == Taken(new=2, duplicates=1)
        assert store.add(windows) == Taken(new=1, duplicates=2)
        assert calls(store) == 6

    def test_another_instance_or_service_may_have_the_same_sequence(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        taken = store.add(
            [
                parsed(calls={LIST: 1}),
                parsed(calls={LIST: 2}, instance="two"),
                parsed(calls={LIST: 4}, service="billing"),
            ]
        )
        assert taken == Taken(new=3)
        assert (calls(store), calls(store, "billing")) == (3, 4)

    def test_nothing_is_nothing(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        assert store.add([]) == Taken()
        assert list(store.services()) == []

    def test_what_was_added_is_there_for_the_next_who_opens_it(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.add([parsed(calls={LIST: 2})])
        store.mark(Deployment(release="a", unix_ns=5), "shop", "production")
        store.close()
        again = self.make_store(tmp_path)
        assert calls(again) == 2
        assert len(again.runtime("shop", "production").deployments()) == 1
        assert again.add([parsed(calls={LIST: 2})]) == Taken(duplicates=1)

    def test_services_are_those_that_were_seen(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.add(
            [
                parsed(calls={LIST: 1}),
                parsed(calls={LIST: 1}, sequence=1),
                parsed(calls={LIST: 1}, environment="staging", instance="two"),
                parsed(calls={LIST: 1}, service="billing"),
            ]
        )
        assert [(s.service, s.environment, s.last_unix_ns) for s in store.services()] == [
            ("billing", "production", 60 * SECOND),
            ("shop", "production", 120 * SECOND),
            ("shop", "staging", 60 * SECOND),
        ]

    def test_deployments_come_in_order_and_are_marked_once(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        marks = [Deployment(release="b", unix_ns=20, by="ci"), Deployment(release="a", unix_ns=10)]
        for mark in [*marks, marks[0]]:
            store.mark(mark, "shop", "production")
        store.mark(Deployment(release="z", unix_ns=1), "billing", "production")
        assert list(store.runtime("shop", "production").deployments()) == marks[::-1]
        assert list(store.runtime("shop", "staging").deployments()) == []

    def test_a_runtime_sees_what_is_added_later(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        runtime = store.runtime("shop", "production")
        assert runtime.profile() is None
        store.add([parsed(calls={LIST: 2})])
        assert runtime.profile() is not None

    def test_tidying_changes_no_sum(self, tmp_path: Path) -> None:
        """
        windows of one minute     0 … 90 m                    30 h
        """
        store = self.make_store(tmp_path)
        rows = [w.per_call(LIST, "SELECT ?", at=f"{LIST}:3", executions=[4, 5])]
        store.add([parsed(calls={LIST: 2, ITEM: 1}, per_call=rows, sequence=i) for i in range(90)])
        store.add([parsed(calls={LIST: 1}, start=30 * 3600, instance="two")])
        runtime = store.runtime("shop", "production")
        before = runtime.profile(), runtime.history("hour"), runtime.history("day")
        while store.tidy(30.5 * 3600):
            pass
        assert (runtime.profile(), runtime.history("hour"), runtime.history("day")) == before
        assert len(runtime.series(LIST, "a").points) == 91
        assert sum(p.queries for p in runtime.series(LIST, "a").points) == 810
        hour = runtime.span(LIST, 0, HOUR)
        assert hour[w.ENTRY].calls == 120
