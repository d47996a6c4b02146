"""The score of the shop under OpenTelemetry alone, on made-up findings; the shop itself is run by hand."""

from __future__ import annotations

from pathlib import Path

from burnish.testing.scripted import finding
from evals.otel_shop.score import Seen, scored

ANSWERS = Path(__file__).resolve().parents[2] / "evals" / "services" / "shop" / "ANSWERS.toml"
SEEN = Seen.read(ANSWERS)
PLANTED = [finding(a.function, kind=a.kind) for a in SEEN.answers.planted]


def test_planted_problems_are_looked_for_at_their_entries() -> None:
    assert [(a.function, a.kind) for a in SEEN.answers.planted] == [
        ("<otel>:GET products/", "repeated_statement"),
        ("<otel>:GET inventory/movements/", "missing_index"),
        ("<otel>:GET customers/<int:pk>/orders/", "repeated_statement"),
        ("<otel>:GET reviews/moderation/", "repeated_statement"),
        ("<otel>:GET customers/<int:pk>/statement/", "repeated_statement"),
    ]
    assert SEEN.beyond == ("cpu_hot in GET trending/<str:channel>/", "cpu_hot in GET inventory/feeds/<int:pk>/")


def test_all_found_and_nothing_else() -> None:
    *_, everything = scored(SEEN, PLANTED[1:2], PLANTED[:1] + PLANTED[2:], ())
    assert (everything.recall, everything.precision, everything.failed) == (1.0, 1.0, False)


def test_told_findings_count_against_precision_and_decoys_here() -> None:
    report = finding("<otel>:GET reports/turnover/", kind="repeated_statement")
    *_, everything = scored(SEEN, [], [*PLANTED, report], ())
    assert everything.precision == 5 / 6
    assert everything.decoys == ("<otel>:GET reports/turnover/",)
    assert everything.failed


def test_another_kind_at_the_entry_is_a_miss() -> None:
    *_, everything = scored(SEEN, [], [finding("<otel>:GET products/", kind="missing_index"), *PLANTED[1:]], ())
    assert [m.function for m in everything.missed] == ["<otel>:GET products/"]
