"""One line for each kind of evidence; the numbers come with their intervals."""

from __future__ import annotations

import pytest

from burnish.evidence import in_a_line
from burnish.finding import Evidence, Site
from burnish.testing.scripted import finding, interval

SITE = Site(function="shop.models:Order.total", file="shop/models.py", line=31)


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (
            Evidence(executions_per_call=20, site=SITE, slope=interval(1, spread=0.02)),
            "20.0 × per call at shop/models.py:31, 1.00 per row of the query before it (0.98 to 1.02)",
        ),
        (
            Evidence(executions_per_call=50, identical_per_call=49, site=SITE),
            "50.0 × per call at shop/models.py:31, 49.0 of them identical",
        ),
        (Evidence(table="movement", columns=("sku", "-at"), table_rows=3200), "movement (sku, -at), 3,200 rows"),
        (
            Evidence(conditions=("arg.items ≥ 512", "cold = True"), slow_share=interval(0.8)),
            "80% (72% to 88%) of the slow time when arg.items ≥ 512 and cold = True",
        ),
        (
            Evidence(before=interval(5e6), after=interval(9e6), since_release="0123456789abcdef", suspects=("a:f",)),
            "5.00 ms → 9.00 ms per call (8.10 ms to 9.90 ms), since release 0123456789ab, changed in it: a:f",
        ),
        (Evidence(peer="pay:443", failure_share=interval(0.1)), "calls pay:443, 10% (9% to 11%) fail"),
        (Evidence(own_share=0.9), "90% of 10.00 ms per call is its own"),
        (Evidence(notes=("Not called for 30 days.",)), "Not called for 30 days."),
        (Evidence(since_unix_ns=1_700_000_000 * 10**9), "since 2023-11-14 22:13 UTC"),
        (Evidence(), ""),
    ],
)
def test_evidence_in_a_line(seen: Evidence, line: str) -> None:
    assert in_a_line(finding().model_copy(update={"evidence": seen})) == line
