from __future__ import annotations

import pytest

from burnish.markdown import fenced, neutral

ZERO = "\u200b"


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [
        ("thanks @ada", f"thanks @{ZERO}ada"),
        ("@property", f"@{ZERO}property"),
        ("mail ada@example.org", "mail ada@example.org"),
        ("fixes #12", f"fixes #{ZERO}12"),
        ("see team/shop#7", f"see team/shop#{ZERO}7"),
        ("closes GH-9", f"closes GH-{ZERO}9"),
        ("https://github.com/team/shop/issues/3", f"https://github.com/{ZERO}team/shop/issues/3"),
        ("# a comment, color #fff", "# a comment, color #fff"),
        ("<!-- burnish:topic=verdict -->", "&lt;!-- burnish:topic=verdict -->"),
        ("a @ b", "a @ b"),
    ],
)
def test_quoted_text_reaches_nobody(quoted: str, expected: str) -> None:
    assert neutral(quoted) == expected


def test_text_cannot_end_its_fence() -> None:
    assert fenced("```\nx\n```\n", "diff") == "```diff\nʼʼʼ\nx\nʼʼʼ\n```"
