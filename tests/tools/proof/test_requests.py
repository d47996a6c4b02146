from __future__ import annotations

import random
from pathlib import Path

import pytest

from burnish.errors import ConfigError
from burnish.finding import EntryShare
from burnish_tools.proof.requests import BLOCK_BYTES, Recorded, recorded, sample


def line(target: str, status: int = 200, method: str = "GET") -> str:
    return f'10.0.0.7 - bo [02/Mar/2026:10:00:00 +0000] "{method} {target} HTTP/1.1" {status} 12 "-" "curl/8"\n'


def log_of(folder: Path, *lines: str) -> Path:
    log = folder / "access.log"
    log.write_text("".join(lines), "utf-8")
    return log


def targets(log: Path, max_bytes: int = 2**20) -> list[str]:
    return [r.target for r in recorded(log, max_bytes)]


def test_only_successful_reads_count_newest_first_and_once(tmp_path: Path) -> None:
    log = log_of(
        tmp_path,
        line("/a/"),
        line("/b/?q=1", 302),
        line("/c/", 404),
        line("/d/", 500),
        line("/e/", 201, "POST"),
        "no log line at all\n",
        line("/a/"),
    )
    assert targets(log) == ["/a/", "/b/?q=1"]


def test_the_time_of_a_request_is_read(tmp_path: Path) -> None:
    assert recorded(log_of(tmp_path, line("/a/")), 2**20)[0].unix == 1772445600


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = log_of(tmp_path, line("/old/"), *(line(f"/{n}/") for n in range(100)))
    assert targets(log, 2**12)[0] == "/99/"
    assert "/old/" not in targets(log, 2**12)


def test_lines_across_blocks_are_whole(tmp_path: Path) -> None:
    log = log_of(tmp_path, *(line(f"/{n}/") for n in range(BLOCK_BYTES // 80 * 3)))
    assert targets(log, 2**30) == [f"/{n}/" for n in reversed(range(BLOCK_BYTES // 80 * 3))][:5000]


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.log"):
        recorded(tmp_path / "nowhere.log", 10)


ENTRIES = {f"/books/{n}/": "GET books/<int:pk>/" for n in range(100)} | {"/books/": "GET books/"}


def of(*seen: str) -> list[Recorded]:
    return [Recorded(target, age, 0) for age, target in enumerate(seen)]


def share(entry: str, rate: float = 1) -> EntryShare:
    return EntryShare(entry=entry, calls_per_minute=rate)


def test_the_halves_are_disjoint_and_of_the_wanted_entry() -> None:
    seen = of(*(f"/books/{n}/" for n in range(50)), "/books/", "/other/")
    chosen = sample(seen, ENTRIES, [share("GET books/<int:pk>/")], 20, random.Random(1))
    assert len(chosen.choosing) == len(chosen.held_out) == 10
    assert len({r.target for r in chosen.all}) == 20
    assert {r.entry for r in chosen.all} == {"GET books/<int:pk>/"}


def test_the_sample_is_the_same_for_the_same_seed() -> None:
    seen = of(*(f"/books/{n}/" for n in range(50)))
    wanted = [share("GET books/<int:pk>/")]
    draws = [sample(seen, ENTRIES, wanted, 10, random.Random(seed)) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_the_sample_reaches_from_new_to_old() -> None:
    seen = of(*(f"/books/{n}/" for n in range(100)))
    ages = [r.age for r in sample(seen, ENTRIES, [share("GET books/<int:pk>/")], 10, random.Random(3)).all]
    assert max(ages) >= 90
    assert min(ages) < 10


def test_every_path_comes_before_a_second_query_of_any() -> None:
    seen = of(*(f"/books/1/?page={n}" for n in range(20)), "/books/2/", "/books/3/")
    chosen = sample(seen, ENTRIES, [share("GET books/<int:pk>/")], 4, random.Random(1))
    assert {r.path for r in chosen.all} == {"/books/1/", "/books/2/", "/books/3/"}


def test_entries_get_their_share_and_at_least_one_in_each_half() -> None:
    seen = of(*(f"/books/{n}/" for n in range(50)), *(f"/books/?page={n}" for n in range(50)))
    wanted = [share("GET books/<int:pk>/", 99), share("GET books/", 1)]
    chosen = sample(seen, ENTRIES, wanted, 20, random.Random(1))
    assert [r.entry for r in chosen.choosing].count("GET books/") == 1
    assert [r.entry for r in chosen.held_out].count("GET books/") == 1


def test_a_single_request_is_held_out() -> None:
    chosen = sample(of("/books/"), ENTRIES, [share("GET books/")], 20, random.Random(1))
    assert (len(chosen.choosing), len(chosen.held_out)) == (0, 1)
