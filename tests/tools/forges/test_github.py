"""GitHub's rules and failures, over real HTTP against the loopback server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from burnish.errors import BurnishError, ConfigError, RepositoryError, Unavailable
from burnish.testing.github_server import TOKEN, Fault, GitHubServer, github_server
from burnish_tools.forges import ForgeSettings
from burnish_tools.forges.github import GitHubForge
from burnish_tools.forges.text import LIMIT

BRANCH = "burnish/n-plus-one-1a2b"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with github_server() as running:
        running.branches[BRANCH] = "a" * 40
        yield running


def forge(server: GitHubServer, token: str = TOKEN, **settings: object) -> GitHubForge:
    values = {
        "kind": "github", "repository": "team/shop", "base_url": server.url, "retries": 2, "longest_wait_seconds": 1,
        "seconds_between_requests": 0, "seconds_between_writes": 0,
    }  # fmt: skip
    return GitHubForge(ForgeSettings.model_validate({**values, **settings}), token)


def posts(server: GitHubServer, end: str) -> int:
    return sum(1 for method, path in server.requests if method == "POST" and path.endswith(end))


def test_what_is_opened(server: GitHubServer) -> None:
    opened = forge(server, draft=True).open(BRANCH, "Title", "Body", ["sql"])
    pull = server.pulls[opened.number]
    assert pull["body"] == "<!-- burnish:v1 id=n-plus-one-1a2b -->\nBody"
    assert pull["draft"] is True
    assert [label["name"] for label in pull["labels"]] == ["sql", "performance"]
    assert opened.url == f"{server.url}/team/shop/pull/1"
    assert opened.merge_commit == "", "the trial merge of an open pull request is no merge"


def test_the_body_keeps_its_own_marker(server: GitHubServer) -> None:
    body = "<!-- burnish:v1 id=other -->\n\nBody"
    assert server.pulls[forge(server).open(BRANCH, "t", body).number]["body"] == body


def test_a_repository_without_drafts(server: GitHubServer) -> None:
    server.drafts = False
    assert forge(server, draft=True).open(BRANCH, "t", "b").state == "open"


def test_the_head_follows_the_branch(server: GitHubServer) -> None:
    number = forge(server).open(BRANCH, "t", "b").number
    server.branches[BRANCH] = "b" * 40
    assert forge(server).get(number).head == "b" * 40


@pytest.mark.parametrize("ignores_head", [False, True])
def test_a_fork_with_the_same_branch_is_not_ours(server: GitHubServer, ignores_head: bool) -> None:
    server.ignores_head = ignores_head
    server.fork(BRANCH)
    assert forge(server).find(BRANCH) is None
    assert forge(server).open_pull_requests() == []
    assert forge(server).open(BRANCH, "t", "b").number == 2


def test_another_branch_is_not_found_where_the_filter_is_ignored(server: GitHubServer) -> None:
    server.ignores_head = True
    forge(server).open(BRANCH, "t", "b")
    assert forge(server).find("burnish/other") is None


def test_more_than_a_page(server: GitHubServer) -> None:
    names = [f"burnish/{n:03}" for n in range(101)]
    for name in names:
        server.branches[name] = "a" * 40
        server._new(name, name, "", draft=False)
    assert [pull.branch for pull in forge(server).open_pull_requests()] == names


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [502, 0], ids=["502", "connection lost"])
def test_a_write_whose_answer_is_lost_is_looked_up(server: GitHubServer, status: int) -> None:
    server.faults.append(Fault("POST", "/pulls$", status, after=True))
    opened = forge(server).open(BRANCH, "t", "b")
    assert opened.number == 1
    server.faults.append(Fault("POST", "/comments$", status, after=True))
    forge(server).comment(1, "verdict", "text")
    assert len(server.comments[1]) == 1
    assert (posts(server, "/pulls"), posts(server, "/comments")) == (1, 1), "sent once"
    assert [label["name"] for label in server.pulls[1]["labels"]] == ["performance"]


def test_a_write_that_failed_is_tried_again_by_the_next_cycle(server: GitHubServer) -> None:
    server.faults.append(Fault("POST", "/pulls$", 502))
    with pytest.raises(Unavailable, match=r"/repos/team/shop answered 502, the next cycle tries again"):
        forge(server).open(BRANCH, "t", "b")
    assert posts(server, "/pulls") == 1
    assert forge(server).open(BRANCH, "t", "b").number == 1


def test_labels_lost_in_a_crash_are_put_on_later(server: GitHubServer) -> None:
    server.faults.append(Fault("POST", "/labels$", 502))
    with pytest.raises(Unavailable):
        forge(server).open(BRANCH, "t", "b")
    forge(server).open(BRANCH, "t", "b")
    assert [label["name"] for label in server.pulls[1]["labels"]] == ["performance"]


def test_a_token_that_may_not_label_still_opens(server: GitHubServer) -> None:
    server.faults.append(Fault("POST", "/labels$", 403, "Resource not accessible by integration"))
    assert forge(server).open(BRANCH, "t", "b").number == 1


def test_a_list_that_is_older_than_the_write(server: GitHubServer) -> None:
    first = forge(server, labels=()).open(BRANCH, "t", "b")
    server.stale_lists = 1
    assert forge(server, labels=()).open(BRANCH, "t", "b") == first, "GitHub's refusal says that it is there"
    assert posts(server, "/pulls") == 2
    assert len(server.pulls) == 1


def test_reads_are_repeated(server: GitHubServer) -> None:
    server.faults += [Fault("GET", "/pulls$", 502), Fault("GET", "/pulls$", 503)]
    assert forge(server).find(BRANCH) is None


@pytest.mark.parametrize("status", [429, 403], ids=["429", "secondary limit"])
def test_a_short_rate_limit_is_sat_out_also_for_a_write(server: GitHubServer, status: int) -> None:
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    server.faults.append(Fault("POST", "/pulls$", status, message, {"Retry-After": "0"}))
    assert forge(server).open(BRANCH, "t", "b").number == 1
    assert posts(server, "/pulls") == 2, "the first was turned away before anything was written"


LATER = {"Retry-After": "3600"}


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (
            Fault("GET", "", 401, "Bad credentials"),
            ConfigError,
            r"does not accept the token in GITHUB_TOKEN \(Bad cred",
        ),
        (Fault("GET", "", 403, "Resource not accessible"), ConfigError, r"may not do this \(Resource not accessible\)"),
        (Fault("GET", "", 404, "Not Found"), ConfigError, r"is not there, or the token .* check forge.repository"),
        (Fault("GET", "", 429, "slow down", LATER), Unavailable, r"answered 429, .* asks to wait 3600 s"),
        (Fault("GET", "", 403, "secondary rate limit", LATER), Unavailable, r"answered 403, .* asks to wait 3600 s"),
        (Fault("GET", "", 403, "You have exceeded a secondary rate limit"), Unavailable, r"answered 403"),
        (Fault("GET", "", 0), Unavailable, r"could not be reached"),
        (Fault("GET", "", 500), Unavailable, r"answered 500|could not be reached"),
    ],
)
def test_who_must_act(server: GitHubServer, fault: Fault, error: type[BurnishError], says: str) -> None:
    server.faults += [fault] * 3
    with pytest.raises(error, match=says) as caught:
        forge(server).find(BRANCH)
    assert server.url in str(caught.value)
    assert type(caught.value) is error


def test_a_wrong_token(server: GitHubServer) -> None:
    with pytest.raises(ConfigError, match=r"does not accept the token in BOT_TOKEN .*export a new one") as caught:
        forge(server, "s3cret", token_variable="BOT_TOKEN").find(BRANCH)
    assert "s3cret" not in str(caught.value)


def test_nothing_listens(server: GitHubServer) -> None:
    with pytest.raises(Unavailable, match="could not be reached, the next cycle tries again"):
        forge(server, base_url="http://127.0.0.1:1", retries=0).find(BRANCH)


def test_an_address_that_the_server_does_not_use(server: GitHubServer) -> None:
    server.url, mine = "http://127.0.0.1:9", server.url
    with pytest.raises(ConfigError, match=r"names another address .*set forge\.base_url"):
        forge(server, base_url=mine).find(BRANCH)


def test_a_repository_with_a_new_name(server: GitHubServer) -> None:
    server.moved_to = "team/store"
    assert forge(server).open(BRANCH, "t", "b").number == 1
    found = forge(server).find(BRANCH)
    assert found is not None


@pytest.mark.parametrize(
    ("branches", "says"),
    [({"main": "0" * 40}, "head: invalid"), ({"main": "0" * 40, BRANCH: "0" * 40}, "No commits between main and")],
)
def test_what_github_will_not_have(server: GitHubServer, branches: dict[str, str], says: str) -> None:
    server.branches = branches
    with pytest.raises(RepositoryError, match=rf"refused \(422\): Validation Failed; {says}"):
        forge(server).open(BRANCH, "t", "b")


@pytest.mark.parametrize(("settings", "token"), [({"repository": ""}, TOKEN), ({}, "")])
def test_settings_that_are_missing(server: GitHubServer, settings: dict[str, str], token: str) -> None:
    with pytest.raises(ConfigError, match=r"forge.repository is empty|GITHUB_TOKEN is empty"):
        forge(server, token, **settings)


# ── comments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_elses_comment_is_left_alone(server: GitHubServer) -> None:
    forge(server).open(BRANCH, "t", "b")
    server.comment(1, "<!-- burnish:topic=verdict -->\nmine, quoted")
    forge(server).comment(1, "verdict", "ours")
    assert [c["body"].splitlines()[-1] for c in server.comments[1]] == ["mine, quoted", "ours"]


def test_the_reason_is_a_persons(server: GitHubServer) -> None:
    forge(server).open(BRANCH, "t", "b")
    server.comment(1, "Too clever.")
    forge(server).comment(1, "note", "Measured again.")
    server.comment(1, "Coverage up.", login="cov[bot]", kind="Bot")
    server.close(1)
    assert forge(server).get(1).reason == "Too clever."


def test_an_unchanged_comment_is_not_written(server: GitHubServer) -> None:
    forge(server).open(BRANCH, "t", "b")
    for _ in range(2):
        forge(server).comment(1, "note", "same")
    assert [method for method, path in server.requests if "/comments" in path and method != "GET"] == ["POST"]


def test_bodies_stay_under_the_limit(server: GitHubServer) -> None:
    body = "<details><summary>x</summary>\n" + "y" * 90_000 + "\n</details>\n\nClose this to refuse it."
    forge(server).open(BRANCH, "t", body)
    sent = server.pulls[1]["body"]
    assert len(sent) <= LIMIT
    assert sent.endswith("</details>\n\nClose this to refuse it.")
