"""Markers and limits."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from burnish_tools.forges.text import capped, topic_marker


def test_a_topic_cannot_end_its_marker() -> None:
    assert topic_marker("a --> b") == "<!-- burnish:topic=a-----b -->"


def noise(n: int) -> str:
    return "\n".join(sha256(str(i).encode()).hexdigest() for i in range(n // 65))


def block(title: str, n: int) -> str:
    return f"<details><summary>{title}</summary>\n\n```diff\n{noise(n)}\n```\n\n</details>"


def test_evidence_is_cut_before_controls() -> None:
    body = "Head\n\n" + block("Big", 90_000) + "\n\n" + block("Small", 2_000) + "\n\nClose this pull request."
    short = capped(body, 10_000)
    assert len(short) <= 10_000
    assert short.startswith("Head\n\n<details><summary>Big</summary>")
    assert short.endswith(block("Small", 2_000) + "\n\nClose this pull request.")
    assert re.search(r"… [\d,]+ characters left out …", short)
    assert short.count("```") % 2 == 0, "no fence is left open"
    assert short.count("<details>") == short.count("</details>") == 2


def test_without_evidence_the_middle_goes() -> None:
    short = capped("Head\n" + noise(90_000) + "\nTail", 10_000)
    assert len(short) <= 10_000
    assert short.startswith("Head\n")
    assert short.endswith("\nTail")


@pytest.mark.parametrize("limit", range(900, 1_400, 37))
def test_the_limit_holds(limit: int) -> None:
    body = "Head\n" + "".join(block(str(n), 400) for n in range(5)) + "\nTail"
    assert len(capped(body, limit)) <= limit


def test_what_fits_is_untouched() -> None:
    assert capped("x" * 10_000, 10_000) == "x" * 10_000
