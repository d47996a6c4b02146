"""Flask and synchronous SQLAlchemy, through the harness."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from burnish.finding import Candidate, EntryShare, Evidence, Finding, Interval
from burnish.job import Change, FileEdit, Job, Proof
from burnish.settings import ServiceSettings
from burnish.testing.workspace import FakeWorkspace
from burnish.why import Why
from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings
from tests.tools.proof.asking import asked, replayed
from tests.tools.proof.flask_service import FILES, snapshot, written
from tests.tools.proof.service import log_line

pytest.importorskip("flask")
WSGI = {"framework": "wsgi", "app": "app:app"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree and its database, which no test changes."""
    folder = written(tmp_path_factory.mktemp("flask"))
    snapshot(folder / "library.sqlite3")
    return folder


def seen(library: Path, tmp_path: Path, function: str, *targets: str) -> Any:
    """What the harness saw; the database is the same afterwards."""
    file = library / "library.sqlite3"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    found = replayed(tmp_path, library, f"sqlite:///{file}", WSGI, function, targets)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    return found


def test_routes_have_the_names_that_the_sensor_gives(library: Path, tmp_path: Path) -> None:
    paths = ["/books/", "/books/3/", "/books", "/books/x/", "/only/post/", "/visits/visit/", "/caf%C3%A9/", "/%ff/"]
    found = asked(tmp_path, library, f"sqlite:///{library}/library.sqlite3", WSGI, mode="routes", paths=paths)
    assert found["entries"] == {
        "/books/": "GET /books/",
        "/books/3/": "GET /books/<int:pk>/",
        "/visits/visit/": "GET /visits/<kind>/",
    }


def test_a_factory_and_an_unknown_kind_of_application_are_served_too(library: Path, tmp_path: Path) -> None:
    service = {"framework": "app", "app": "app:create_app()"}
    url = f"sqlite:///{library}/library.sqlite3"
    found = asked(tmp_path, library, url, service, mode="routes", paths=["/books/"])
    assert found["entries"] == {"/books/": "GET /books/"}


def test_calls_and_statements_are_seen_and_data_is_altered(library: Path, tmp_path: Path) -> None:
    found = seen(library, tmp_path, "library.shelf:rows", "/books/?page=1")
    [request], [altered, moved] = found["requests"], found["changed"]
    assert (request["status"], request["count"], request["queries"], request["call_queries"]) == (200, 1, 11, 11)
    assert request["body"]["json"]["books"][0] == {"title": "title 10", "author": "author 10"}
    assert altered["body"]["json"]["books"][0] == {"title": "title 10~", "author": "author 10~"}
    assert moved["body"]["json"]["books"][0] == {"title": "title 11", "author": "author 12"}
    session = request["calls"][0]["arguments"]["$tuple"][0]["$tuple"][0]
    assert session == {"$named": "sqlalchemy.orm.session.Session"}


@pytest.mark.parametrize(
    "kind, answer",
    [("visit", 1), ("beside", [0, 1]), ("by_hand", 1), ("undone", 1)],
    ids=["a commit", "another session in between", "a transaction by hand", "an error and rollbacks"],
)
def test_each_request_begins_with_the_same_data(library: Path, tmp_path: Path, kind: str, answer: Any) -> None:
    target = f"/visits/{kind}/"
    found = seen(library, tmp_path, f"library.visits:{kind}", target, target)
    for request in (*found["requests"], *found["changed"]):
        assert request["body"] == {"json": answer}, request["raised"]
        assert request["written"]["visits"].endswith("/1")


def test_a_view_is_judged_although_the_application_took_it_before(library: Path, tmp_path: Path) -> None:
    [request] = seen(library, tmp_path, "app:book_list", "/books/")["requests"]
    assert request["count"] == 1
    assert "$response" in request["calls"][0]["returned"]


def test_an_error_of_the_service_is_an_answer(library: Path, tmp_path: Path) -> None:
    [request] = seen(library, tmp_path, "library.shelf:rows", "/broken/")["requests"]
    assert request["status"] == 500


def proof(tmp_path: Path, changes: dict[str, str]) -> Proof:
    """Of a change of `library.shelf:rows`, with a framework and an application that nobody has configured."""
    log = tmp_path / "access.log"
    log.write_text("".join(log_line(f"/books/?page={n}") for n in range(12)), "utf-8")
    workspace = FakeWorkspace(FILES)
    before = after = FILES["library/shelf.py"]
    for old, new in changes.items():
        assert old in after
        after = after.replace(old, new)
    edit = FileEdit(path="library/shelf.py", before=before, after=after)
    change = Change(recipe="test", title="t", summary="s", safety="s", edits=(edit,))
    one = Interval(value=1, low=1, high=1, n=9)
    finding = Finding(
        kind="n_plus_one",
        function="library.shelf:rows",
        file=edit.path,
        line=1,
        body="",
        release="r1",
        entries=(EntryShare(entry="GET /books/", calls_per_minute=10),),
        calls_per_minute=one,
        wall_ns=one,
        removable_ns=1,
        evidence=Evidence(),
    )
    settings = ProofSettings(database=snapshot(tmp_path / "snapshot.sqlite3"), requests=8, timeout_seconds=120)
    service = ServiceSettings(name="library", repository=".", access_log=str(log))
    candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
    job = Job(id="job-1", candidate=candidate, base=workspace.head(), change=change)
    return ServiceProver(service, settings, workspace, tmp_path / "state").prove(job)


@pytest.mark.slow
@pytest.mark.long
def test_a_right_fix_is_proven(tmp_path: Path) -> None:
    imported = "from sqlalchemy import select\n"
    joined = {
        imported: imported + "from sqlalchemy.orm import joinedload\n",
        "select(Book)": "select(Book).options(joinedload(Book.author, innerjoin=True))",
    }
    done = proof(tmp_path, joined)
    assert done.proven, done.failure


@pytest.mark.slow
@pytest.mark.long
def test_a_wrong_fix_differs(tmp_path: Path) -> None:
    done = proof(tmp_path, {"order_by(Book.id)": "order_by(Book.title)"})
    assert done.failure is not None
    assert (done.failure.name, done.failure.why) == ("equality", Why.RESULT_DIFFERS)
