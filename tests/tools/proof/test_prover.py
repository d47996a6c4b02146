"""Whole proofs of edits to a small Django service."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from burnish.errors import ConfigError
from burnish.job import Check, Proof
from burnish.why import Why
from burnish_tools.proof.prover import ServiceProver
from tests.tools.proof.service import FILES, JOINED, N_PLUS_ONE, Stage, stage

pytestmark = pytest.mark.slow
PAGES = """

@pytest.mark.django_db
@pytest.mark.parametrize("page", range(8))
def test_pages(page):
    assert views.rows(page) == []
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One for all tests, so that the baseline is run once."""
    return stage(tmp_path_factory.mktemp("library"))


def joined(text: str) -> str:
    assert N_PLUS_ONE in text
    return text.replace(N_PLUS_ONE, JOINED)


def also(old: str, new: str) -> Callable[[str], str]:
    """The right fix with something else in it."""

    def edit(text: str) -> str:
        assert old in joined(text)
        return joined(text).replace(old, new)

    return edit


def refused(proof: Proof, name: str, why: Why) -> Check:
    assert not proof.proven
    assert proof.failure is not None
    assert (proof.failure.name, proof.failure.why) == (name, why), proof.failure
    assert proof.failure is proof.checks[-1]
    return proof.failure


def test_a_right_fix_is_proven_with_numbers(library: Stage) -> None:
    before = hashlib.sha256(library.snapshot.read_bytes()).hexdigest()
    told: list[tuple[str, float]] = []
    job = library.job(library.change(joined, functions=("books.views:rows",)))
    proof = library.prover(progress=lambda name, share: told.append((name, share))).prove(job)
    assert proof.proven, proof.failure
    names = ["rules", "baseline", "tests", "equality", "queries", "cost", "memory", "cold start"]
    assert [check.name for check in proof.checks] == names
    assert proof.requests == 12
    assert proof.reproduce == "burnish prove job-1"
    effects = {(e.what, e.subject): e for e in proof.effects}
    assert (effects["queries", "books.views:rows"].before, effects["queries", "books.views:rows"].after) == (26, 1)
    assert effects["time", "books.views:rows"].saving.low > 0.2
    assert effects["time", "GET books/"].saving.value > 0.2
    assert effects["peak_memory", "the replaying process"].before > 1
    assert Proof.model_validate_json(proof.model_dump_json()) == proof
    assert hashlib.sha256(library.snapshot.read_bytes()).hexdigest() == before
    assert list((library.state / "scratch").iterdir()) == []
    assert [name for name, share in told if share == 1.0] == [
        "rules",
        "baseline",
        "requests",
        "tests",
        "equality",
        "cost",
    ]


@pytest.mark.long
def test_an_edit_without_effect_is_not_faster(library: Stage) -> None:
    proof = library.prove(lambda text: text.replace(N_PLUS_ONE, "Book.objects.all().order_by('id')["))
    assert proof.failure is not None
    assert proof.failure.name == "cost"
    assert proof.failure.why in (Why.NOT_FASTER, Why.TOO_NOISY)
    assert proof.effects[0].saving.low < 0.05


@pytest.mark.parametrize(
    "old, new",
    [
        ('{"label": book.label, "author": book.author.name}', '{"author": book.author.name, "label": book.label}'),
        ("page * 25 + 25]", "page * 25 + 24]"),
        ("book.author.name} for book", "book.author.name.title()} for book"),
    ],
    ids=["order of keys", "dropped row", "changed text"],
)
def test_a_subtly_wrong_fix_differs(library: Stage, old: str, new: str) -> None:
    proof = library.prove(also(old, new))
    check = refused(proof, "equality", Why.RESULT_DIFFERS)
    assert "GET books/" in check.detail[0]
    assert not any("author 1" in line.lower() or "title 1" in line for line in (check.summary, *check.detail))
    stored = json.loads((library.state / check.detail[-1].split()[4]).read_text())
    assert stored["request"].startswith("/books/?page=")


def test_an_evaded_memo_shows_on_altered_data(library: Stage) -> None:
    """The rules do not see this one: it hides in a list of the logging library."""
    body = "    return [{"
    memo = (
        "    import logging as keeper\n"
        "    kept = keeper.getLogger('kept').filters\n"
        "    for known, rows in kept:\n        if known == page:\n            return rows\n"
        "    kept += [(page, [{"
    )
    end = "for book in books]\n"
    proof = library.prove(
        lambda text: joined(text).replace(body, memo, 1).replace(end, end[:-1] + ")]\n    return kept[-1][1]\n", 1)
    )
    check = refused(proof, "equality", Why.RESULT_DIFFERS)
    assert "after the data had been altered" in check.summary


def test_a_dictionary_memo_is_refused_before_anything_runs(library: Stage) -> None:
    proof = library.prove(lambda text: text.replace("def rows", "KEPT = {}\n\n\ndef rows"))
    check = refused(proof, "rules", Why.FORBIDDEN_EDIT)
    assert "a memo across calls without invalidation" in check.summary


def test_more_queries_are_refused(library: Stage) -> None:
    def edit(text: str) -> str:
        return text.replace("    books = Book", "    Book.objects.count()\n    books = Book", 1)

    refused(library.prove(edit), "queries", Why.MORE_QUERIES)


def test_a_clock_read_once_instead_of_thrice_differs(library: Stage) -> None:
    def edit(text: str) -> str:
        old = "    return [timezone.now().isoformat() for _ in range(3)]"
        assert old in text
        return text.replace(old, "    at = timezone.now().isoformat()\n    return [at for _ in range(3)]")

    refused(library.prove(edit, "books.views:stamps", "GET now/"), "equality", Why.RESULT_DIFFERS)


def test_a_write_that_is_left_out_differs(library: Stage) -> None:
    def edit(text: str) -> str:
        return text.replace("    Visit.objects.create(page=int(", "    Visit.objects.create(page=1 + int(")

    check = refused(library.prove(edit, "books.views:visits", "GET visits/"), "equality", Why.RESULT_DIFFERS)
    assert "rows written to" in check.summary


def test_a_property_is_judged_too(library: Stage) -> None:
    def edit(text: str) -> str:
        assert 'return f"' in text
        return text.replace('return f"', 'return "~" * (not self.pages % 17) + f"')

    change = library.change(edit, "books/models.py")
    proof = library.prover().prove(library.job(change, "books.models:Book.label", ("GET books/<int:pk>/",)))
    check = refused(proof, "equality", Why.RESULT_DIFFERS)
    assert "call[0].returned" in check.summary


def test_a_failing_test_is_named_with_its_assertion(library: Stage) -> None:
    check = refused(library.prove(also("book.author.name", "book.author.name.lower()")), "tests", Why.TESTS_FAIL)
    assert "test_rows" in check.summary
    assert "assert" in check.detail[0]


def test_a_vanished_test_is_refused(tmp_path: Path) -> None:
    more = FILES["tests/test_books.py"].replace(
        "def test_stamps", "@pytest.mark.skipif(hasattr(views, 'gone'), reason='x')\ndef test_stamps"
    )
    library = stage(tmp_path, {"tests/test_books.py": more})
    check = refused(library.prove(lambda text: joined(text) + "\n\ngone = True\n"), "tests", Why.TEST_VANISHED)
    assert "test_stamps" in check.summary


def test_a_red_baseline_ends_the_proof(tmp_path: Path) -> None:
    library = stage(tmp_path, {"tests/test_red.py": "def test_red():\n    assert False\n"})
    check = refused(library.prove(joined), "baseline", Why.RED_BASELINE)
    assert "test_red" in check.summary


def test_the_baseline_alone_is_a_proof_of_one_check(library: Stage) -> None:
    proof = library.prover().baseline(library.workspace.head())
    assert proof.proven
    assert [check.name for check in proof.checks] == ["baseline"]


def test_a_function_that_no_request_reaches_is_not_judged(library: Stage) -> None:
    refused(library.prove(joined, "books.views:stamps"), "equality", Why.NOT_REACHED)


@pytest.mark.parametrize("entry", ["POST books/", "GET nowhere/", "task:books"])
def test_without_recorded_requests_a_single_call_is_too_little(library: Stage, entry: str) -> None:
    check = refused(library.prove(joined, "books.views:rows", entry), "calls", Why.NO_CALLS)
    assert "Of 1 test that reach" in check.summary


@pytest.mark.long
def test_what_no_request_reaches_is_proven_by_calls_on_the_snapshot(tmp_path: Path) -> None:
    more = FILES["tests/test_books.py"] + PAGES
    library = stage(tmp_path, {"tests/test_books.py": more})
    proof = library.prove(joined, "books.views:rows", "task:books")
    assert proof.proven, proof.failure
    assert (proof.requests, proof.calls, proof.tests) == (0, 8, 8)
    effects = {(e.what, e.subject): e for e in proof.effects}
    assert (effects["queries", "books.views:rows"].before, effects["queries", "books.views:rows"].after) == (26, 1)
    wrong = library.prove(also("page * 25 + 25]", "page * 25 + 24]"), "books.views:rows", "task:books")
    refused(wrong, "equality", Why.RESULT_DIFFERS)


def test_requests_that_need_to_be_somebody_are_sent_with_the_configured_headers(library: Stage) -> None:
    wrong = also("page * 25 + 25]", "page * 25 + 24]")
    check = refused(library.prove(wrong, "books.views:rows", "GET staff/"), "replay", Why.REPLAY_FAILED)
    assert "(403)" in check.summary
    settings = library.settings.model_copy(update={"headers": {"X-Staff-Token": "of the snapshot"}})
    job = library.job(library.change(wrong), entries=("GET staff/",))
    refused(library.prover(settings=settings).prove(job), "equality", Why.RESULT_DIFFERS)


def test_no_token_reaches_the_service(library: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edited code answers with its environment; the stored difference shows all that it saw."""
    monkeypatch.setenv("GITHUB_TOKEN", "s3cr3t-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "s3cr3t-2")
    old = "return JsonResponse(dict(os.environ))"
    proof = library.prove(
        lambda text: text.replace(old, "return JsonResponse({'seen': sorted(os.environ.items())})"),
        "books.views:environment",
        "GET environment/",
    )
    refused(proof, "equality", Why.RESULT_DIFFERS)
    stored = "".join(path.read_text() for path in (library.state / "differences").iterdir())
    assert "s3cr3t" not in stored


def test_a_service_that_never_answers_is_killed(tmp_path: Path) -> None:
    library = stage(tmp_path, timeout_seconds=6)
    proof = library.prove(
        lambda text: joined(text).replace("    books =", "    while page:\n        pass\n    books =")
    )
    check = refused(proof, "replay", Why.REPLAY_FAILED)
    assert "killed after 6 s" in check.summary
    assert list((library.state / "scratch").iterdir()) == []


def test_a_service_that_does_not_start_is_told(tmp_path: Path) -> None:
    library = stage(tmp_path)
    settings = library.service.model_copy(update={"settings_module": "library.nothing"})
    proof = library.prover(service=settings).prove(library.job(library.change(joined)))
    check = refused(proof, "replay", Why.REPLAY_FAILED)
    assert "library.nothing" in check.summary


def test_a_missing_snapshot_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    library = stage(tmp_path)
    library.snapshot.unlink()
    with pytest.raises(ConfigError, match=r"snapshot\.sqlite3"):
        library.prove(joined)
    assert list((library.state / "scratch").iterdir()) == []


def test_the_harness_needs_no_burnish(library: Stage) -> None:
    source = Path(sys.modules[ServiceProver.__module__].__file__ or "").parent / "harness"
    assert [
        p.name for p in source.glob("*.py") if "import burnish" in p.read_text() or "from burnish" in p.read_text()
    ] == []
