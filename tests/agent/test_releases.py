"""Releases as the data show them, and functions that moved. A function is written `name=body`."""

from __future__ import annotations

import pytest

from burnish.histogram import Histogram
from burnish.identity import lineage
from burnish.profile import Deployment, FunctionStats, Release
from burnish.releases import changes, in_order, overlap_ns, seen, unseen


def release(name: str, first: int, last: int) -> Release:
    return Release(name=name, first_unix_ns=first, last_unix_ns=last, windows=1, calls=1)


def functions(text: str, lines: int = 10) -> list[FunctionStats]:
    return [
        FunctionStats(
            function=name, file="a.py", line=1, end_line=lines, body=body, kind="function", calls=1, errors={},
            wall=Histogram(), own=Histogram(), entries={}, callers={},
        )
        for name, _, body in (part.partition("=") for part in text.split())
    ]  # fmt: skip


def test_order_is_by_first_window_and_never_by_name() -> None:
    assert [r.name for r in in_order([release("9", 20, 30), release("10", 30, 40), release("z", 0, 20)])] == [
        "z",
        "9",
        "10",
    ]


def test_a_rolling_deployment_and_a_canary() -> None:
    a, b, c = release("a", 0, 30), release("b", 25, 90), release("c", 40, 45)
    assert [overlap_ns(a, b), overlap_ns(a, c), overlap_ns(b, c)] == [5, 0, 5]
    first, second, third = seen([c, b, a])
    assert (first.beside, second.beside, third.beside) == (("b",), ("a", "c"), ("b",))
    assert (first.outlived_by, second.outlived_by, third.outlived_by) == ("", "", "b")


def test_markers_join_by_name_and_the_first_one_counts() -> None:
    marks = [Deployment(release="b", unix_ns=9, by="again"), Deployment(release="b", unix_ns=3, by="ci")]
    early = Deployment(release="z", unix_ns=5)
    known = [release("a", 0, 5), release("b", 5, 9)]
    assert [one.marker.by if one.marker else None for one in seen(known, [*marks, early])] == [None, "ci"]
    assert unseen(known, [*marks, early]) == (early,)


def test_ancestry_is_yes_no_or_unknown() -> None:
    history = {("head", "a"), ("head", "head"), ("a", "a"), ("side", "side")}
    known = [release("a", 0, 1), release("side", 1, 2), release("v7", 2, 3)]
    found = seen(known, contains=lambda release, commit: (release, commit) in history, base="head")
    assert [one.in_base for one in found] == [True, False, None]
    assert [one.in_base for one in seen(known)] == [None, None, None]


def test_what_a_release_changed() -> None:
    seen = changes("a", functions("f=1 g=2 old=3 gone=4"), functions("f=1 g=9 new=3 more=5"))
    assert (seen.new, seen.removed, seen.changed) == (("more",), ("gone",), ("g",))
    assert seen.renamed == {"new": "old"}


@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        (["f=1", "g=1"], {"g": ("f",)}),
        (["f=1", "g=1", "h=1"], {"h": ("g", "f")}),
        (["f=1 h=2", "f=1 h=2"], {}),
        (["f=1", "g=2"], {}),
        (["f=1 g=1", "h=1"], {}),  # two vanished
        (["f=1", "g=1 h=1"], {}),  # two appeared
        (["f=1", "f=1 g=1"], {}),  # a copy
        (["f=1", "g=1", "f=1 g=1"], {}),  # not called for a while, and back
        (["g=1 f=1", "f=1", "f=1 g=1"], {}),  # known before
    ],
)
def test_lineage(releases: list[str], expected: dict[str, tuple[str, ...]]) -> None:
    assert lineage([functions(text) for text in releases]) == expected


def test_small_bodies_are_not_matched() -> None:
    assert lineage([functions("f=1", lines=3), functions("g=1", lines=3)]) == {}
    assert lineage([functions("f="), functions("g=")]) == {}
