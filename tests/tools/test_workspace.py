"""The workspace against real repositories: what it reads, writes, pushes and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.errors import ConfigError, RepositoryError, Unavailable
from burnish_tools.remote import Remote
from burnish_tools.workspace import Author, Git, GitWorkspace
from tests.tools.git_repo import FAST, VIEWS, Team, change, git

US = Author("Burnish", "burnish@example.org")
BRANCH = "burnish/n-plus-one-1a2b"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def workspace(team: Team, root: str = ".", repository: Path | None = None) -> GitWorkspace:
    return GitWorkspace(str(repository or team.bare), "main", root, team.bare.parent / "state", US)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_head_follows_the_base_branch(team: Team) -> None:
    space = workspace(team)
    first = space.head()
    second = team.commit({"a.py": "a = 1\n"})
    assert first != second
    assert space.head() == second


def test_a_missing_base_branch_says_which_there_are(team: Team) -> None:
    space = GitWorkspace(str(team.bare), "production", ".", team.bare.parent / "state", US)
    with pytest.raises(RepositoryError, match=r"no branch production \(it has main\); set service.branch"):
        space.head()


def test_source_reads_text_under_the_root_only(team: Team) -> None:
    team.write(
        {"app/b.py": "b = 1\r\n", "app/a.py": "\ufeffa = 1\n", "app/latin.py": b"s = '\xe9'\n", "app/x.txt": "x"}
    )
    (team.checkout / "app/link.py").symlink_to("b.py")
    source = workspace(team, "app").source(_pushed(team))
    assert source.paths() == ["a.py", "b.py", "latin.py"]
    assert source.read("b.py") == "b = 1\r\n"
    assert source.read("a.py") == "\ufeffa = 1\n"
    for unreadable in ("latin.py", "link.py", "missing.py", "../manage.py", "/etc/passwd"):
        assert source.read(unreadable) is None


def _pushed(team: Team) -> str:
    commit = team.commit({})
    workspace(team).head()
    return commit


def test_an_unknown_commit_is_a_repository_error(team: Team) -> None:
    space = workspace(team)
    space.head()
    for commit in ("f" * 40, "--output=x", "main"):
        with pytest.raises(RepositoryError, match="has no commit"):
            space.source(commit)


def test_dirty_is_about_checkouts(team: Team) -> None:
    local = workspace(team, repository=team.checkout)
    assert local.dirty() == []
    team.write({"shop/views.py": FAST, "new file.py": "x\n", "../state/own.db": "ours"})
    assert local.dirty() == ["new file.py", "shop/views.py"]
    assert workspace(team).dirty() == []


def test_own_state_in_the_checkout_is_not_uncommitted_work(team: Team) -> None:
    state = team.checkout / ".burnish" / "state"
    space = GitWorkspace(str(team.checkout), "main", ".", state, US)
    space.head()
    assert space.dirty() == []


def test_contains_knows_commits_tags_and_what_git_does_not_know(team: Team) -> None:
    space = workspace(team)
    old = space.head()
    new = team.commit({"a.py": "a = 1\n"})
    git(team.checkout, "tag", "v2")
    git(team.checkout, "push", "--quiet", "origin", "v2")
    assert space.contains(new, old)
    assert space.contains(new[:12], new)
    assert space.contains("v2", new)
    assert not space.contains(old, new)
    assert not space.contains("unknown", old)
    assert not space.contains("0" * 40, old)
    assert not space.contains(new, "f" * 40)
    assert not space.contains("main", old), "a branch is no release"


# ── exporting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_export_writes_the_changed_tree_without_git(team: Team, tmp_path: Path) -> None:
    (team.checkout / "run.sh").write_text("#!/bin/sh\n")
    (team.checkout / "run.sh").chmod(0o755)
    team.write({".gitattributes": "tests export-ignore\n*.txt eol=crlf\n", "tests/t.py": "t\n", "n.txt": "1\n2\n"})
    base = _pushed(team)
    space = workspace(team)
    space.export(base, tmp_path / "old")
    space.export(base, tmp_path / "new", change())
    assert (tmp_path / "old/shop/views.py").read_text() == VIEWS
    assert (tmp_path / "new/shop/views.py").read_text() == FAST
    assert os.access(tmp_path / "new/run.sh", os.X_OK)
    assert (tmp_path / "new/n.txt").read_bytes() == b"1\r\n2\r\n"
    assert (tmp_path / "new/tests/t.py").exists(), "export-ignore is for releases, not for proofs"
    assert not (tmp_path / "new/.git").exists()
    assert list((tmp_path / "state/tmp").iterdir()) == []


def test_export_refuses_a_directory_that_holds_something(team: Team, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("keep")
    base = _pushed(team)
    with pytest.raises(RepositoryError, match="is not empty"):
        workspace(team).export(base, tmp_path / "full")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (change(before="something else\n"), "has another text"),
        (change("shop/gone.py"), "is not there"),
        (change("shop/views.py", None), "is there already"),
        (change("../outside.py", None), "not a path inside"),
        (change("/etc/passwd", None), "not a path inside"),
        (change("shop/../../x.py", None), "not a path inside"),
        (change(".git/hooks/pre-push", None), "not a path inside"),
        (change("shop/.GIT/config", None), "not a path inside"),
        (change("link/evil.py", None), "behind a file, a symbolic link"),
        (change("link", None), "is a symbolic link"),
        (change("shop", None), "is a directory"),
        (change("shop/views.py/x.py", None), "behind a file"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(team: Team, tmp_path: Path, edit, says: str) -> None:
    (team.checkout / "link").symlink_to(tmp_path)
    base = _pushed(team)
    with pytest.raises(RepositoryError, match=says):
        workspace(team).export(base, tmp_path / "out", edit)
    assert not (tmp_path / "evil.py").exists()


def test_line_ends_stay_as_they_are(team: Team) -> None:
    crlf = VIEWS.replace("\n", "\r\n")
    team.write({"crlf.py": crlf, "old.bat": "a\n", ".gitattributes": "*.bat text eol=crlf\n"})
    base = _pushed(team)
    space = workspace(team)
    commit = space.publish(base, change("crlf.py", crlf, FAST), BRANCH, "m\n")
    assert team.show(f"{commit}:crlf.py") == FAST.replace("\n", "\r\n").encode()
    commit = space.publish(base, change("old.bat", "a\n", "b\r\n"), BRANCH, "m\n")
    assert team.show(f"{commit}:old.bat") == b"b\n", "as `git add` would have stored it"


# ── pushing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_publish_makes_the_same_commit_again(team: Team, tmp_path: Path) -> None:
    space = workspace(team, "shop")
    base = space.head()
    edit = change("views.py")
    commit = space.publish(base, edit, BRANCH, "Fetch the shops\n\nMeasured.\n")
    other = GitWorkspace(str(team.bare), "main", "shop", tmp_path / "another machine", US)
    other.head()
    assert other.publish(base, edit, BRANCH, "Fetch the shops\n\nMeasured.\n") == commit
    assert git(team.bare, "rev-parse", BRANCH) == commit
    assert team.show(f"{commit}:shop/views.py").decode() == FAST
    assert git(team.bare, "log", "-1", "--format=%at %ct", commit) == git(
        team.bare, "log", "-1", "--format=%at %ct", base
    )
    assert git(team.bare, "log", "-1", "--format=%an %ae %P %B", commit) == (
        f"Burnish burnish@example.org {base} Fetch the shops\n\nMeasured."
    )
    assert git(team.bare, "diff-tree", "--name-only", "-r", "--no-commit-id", commit) == "shop/views.py"


def test_publish_keeps_modes_and_takes_new_files(team: Team) -> None:
    (team.checkout / "tool.py").write_text("a\n")
    (team.checkout / "tool.py").chmod(0o755)
    base = _pushed(team)
    both = change("tool.py", "a\n", "b\n")
    both = both.model_copy(update={"edits": (*both.edits, *change("new/möre.py", None, "n\n").edits)})
    commit = workspace(team).publish(base, both, BRANCH, "m\n")
    rows = git(team.bare, "-c", "core.quotePath=false", "ls-tree", "-r", commit)
    assert "100755" in next(row for row in rows.splitlines() if row.endswith("tool.py"))
    assert "100644" in next(row for row in rows.splitlines() if row.endswith("new/möre.py"))


def test_a_person_on_the_branch_is_never_overwritten(team: Team) -> None:
    space = workspace(team)
    base = space.head()
    ours = space.publish(base, change(), BRANCH, "m\n")
    git(team.checkout, "fetch", "--quiet", "origin")
    git(team.checkout, "checkout", "--quiet", "--detach", ours)
    theirs = team.commit({"shop/views.py": FAST + "# checked\n"}, branch=BRANCH)
    with pytest.raises(RepositoryError, match=r"by ada@example.org; Burnish does not push over"):
        space.publish(base, change(after=FAST + "\n"), BRANCH, "m\n")
    assert git(team.bare, "rev-parse", BRANCH) == theirs


def test_an_older_proposal_of_ours_is_replaced(team: Team) -> None:
    space = workspace(team)
    space.publish(space.head(), change(), BRANCH, "m\n")
    team.commit({"a.py": "a = 1\n"})
    again = space.publish(space.head(), change(), BRANCH, "m\n")
    assert git(team.bare, "rev-parse", BRANCH) == again


@pytest.mark.parametrize("branch", ["main", "--force", "a b", "x..y", "x.lock", "burnish/", "/x", "a/.b", "x:y", "é"])
def test_only_branches_of_its_own(team: Team, branch: str) -> None:
    space = workspace(team)
    base = space.head()
    with pytest.raises(RepositoryError, match=r"base branch|no branch name"):
        space.publish(base, change(), branch, "m\n")
    assert git(team.bare, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_change_of_nothing_is_refused(team: Team) -> None:
    space = workspace(team)
    with pytest.raises(RepositoryError, match="changes nothing"):
        space.publish(space.head(), change(after=VIEWS), BRANCH, "m\n")


def test_hooks_and_environment_of_others_do_nothing(team: Team, tmp_path: Path, monkeypatch) -> None:
    hook = f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n"
    space = workspace(team, repository=team.checkout)
    base = space.head()
    mirror = next((tmp_path / "state/repositories").iterdir())
    for hooks in (mirror / "hooks", tmp_path / "hooks"):
        hooks.mkdir()
        for name in ("pre-push", "reference-transaction", "post-checkout", "pre-commit"):
            (hooks / name).write_text(hook)
            (hooks / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/hooks\n[commit]\n\tgpgSign = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    commit = space.publish(base, change(), BRANCH, "m\n")
    assert git(team.checkout, "--git-dir=.git", "rev-parse", BRANCH) == commit
    space.head()  # moves a ref in the mirror, which would run `reference-transaction`
    assert not (tmp_path / "ran").exists()


# ── reverting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def merged(team: Team, space: GitWorkspace) -> str:
    space.publish(space.head(), change(), BRANCH, "m\n")
    git(team.checkout, "fetch", "--quiet", "origin")
    git(team.checkout, "merge", "--quiet", "--no-ff", "-m", "merge", f"origin/{BRANCH}")
    git(team.checkout, "push", "--quiet", "origin", "HEAD:main")
    return git(team.checkout, "rev-parse", "HEAD")


def test_a_merge_is_reverted_on_what_came_after_it(team: Team) -> None:
    space = workspace(team)
    merge = merged(team, space)
    team.commit({"later.py": "later = 1\n"})
    revert = space.publish_revert(merge, "burnish/revert-1", "Revert it\n")
    assert team.show(f"{revert}:shop/views.py").decode() == VIEWS
    assert team.show(f"{revert}:later.py")
    team.commit({"even_later.py": "x = 1\n"})
    assert space.publish_revert(merge, "burnish/revert-1", "Revert it\n") == revert, "done once"


def test_a_plain_commit_is_reverted_too(team: Team) -> None:
    commit = team.commit({"shop/views.py": FAST})
    space = workspace(team)
    revert = space.publish_revert(commit, "burnish/revert-1", "Revert it\n")
    assert git(team.bare, "diff", revert, f"{commit}~1") == ""


def test_what_cannot_be_reverted_says_why(team: Team) -> None:
    space = workspace(team)
    first, merge = space.head(), merged(team, space)
    with pytest.raises(RepositoryError, match="it is the first commit"):
        space.publish_revert(first, "burnish/revert-0", "m\n")
    with pytest.raises(RepositoryError, match="is not on main"):
        space.publish_revert("f" * 40, "burnish/revert-0", "m\n")
    team.commit({"shop/views.py": FAST.replace("shop.name", "shop.title")})
    with pytest.raises(RepositoryError, match=r"cannot be reverted on main: conflict in shop/views.py; a person"):
        space.publish_revert(merge, "burnish/revert-1", "m\n")
    team.commit({"shop/views.py": VIEWS})
    with pytest.raises(RepositoryError, match="is reverted on main already"):
        space.publish_revert(merge, "burnish/revert-1", "m\n")


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_diff_applies(team: Team) -> None:
    odd = "a\x0cb\u2028c\nlast"
    base = team.commit({"app/odd.txt": odd})
    edit = change("odd.txt", odd, odd + " line\n")
    edit = edit.model_copy(update={"edits": (*edit.edits, *change("new.py", None, "n").edits)})
    space = workspace(team, "app")
    space.head()
    git(team.checkout, "apply", "--index", "-", data=space.diff(edit).encode())
    tree = git(team.checkout, "write-tree")
    commit = space.publish(base, edit, BRANCH, "m\n")
    assert git(team.bare, "rev-parse", f"{commit}^{{tree}}") == tree


@pytest.mark.parametrize(
    ("repository", "says"),
    [
        ("ext::sh -c touch% x", "there is no repository"),
        ("ext://sh", "ext:// is not allowed"),
        ("http://example.org/x.git", "http:// is not allowed"),
        ("https://user:secret@example.org/x.git", "has credentials in its URL"),
        ("https://ghp_secret@example.org/x.git", "has credentials in its URL"),
        ("/nowhere/at/all", "there is no repository at /nowhere/at/all; set service.repository"),
    ],
)
def test_only_repositories_that_are_safe_to_talk_to(tmp_path: Path, repository: str, says: str) -> None:
    with pytest.raises((ConfigError, RepositoryError), match=says) as caught:
        GitWorkspace(repository, "main", ".", tmp_path, US, token="secret")
    assert "secret" not in str(caught.value)


def test_a_directory_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(RepositoryError, match=r"git could not use .*plain"):
        GitWorkspace(str(tmp_path / "plain"), "main", ".", tmp_path / "state", US).head()


def test_an_unreachable_server_can_be_tried_again(tmp_path: Path) -> None:
    space = GitWorkspace("https://127.0.0.1:1/x.git", "main", ".", tmp_path, US, token="s3cret")
    with pytest.raises(Unavailable, match=r"https://127.0.0.1:1/x.git could not be reached") as caught:
        space.head()
    assert "s3cret" not in str(caught.value)
    assert not any(b"s3cret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_the_token_is_for_its_own_server_only(tmp_path: Path) -> None:
    remote = Remote.at("https://git.example.org/team/x.git", "s3cret")
    git_ = Git(tmp_path / "x.git")
    git_.text("init", "--bare", "--quiet")
    ask = ("config", "--get-urlmatch", "http.extraHeader")
    sent = git_.call(*ask, "https://git.example.org/team/x.git", config=remote.config()).out
    assert sent.startswith(b"Authorization: Basic ")
    assert git_.call(*ask, "https://elsewhere.example.org/", config=remote.config()).out == b""
    assert git_.call(*ask, "https://git.example.org/team/x.git").out == b""
    assert "s3cret" not in repr(remote)
    assert Remote.at("git@git.example.org:team/x.git", "s3cret").config() == {}


def test_a_git_that_hangs_is_stopped(team: Team) -> None:
    slow = Git(team.bare, timeout=0.3)
    with pytest.raises(Unavailable, match=r"did not end in 0.3 s"):
        slow.call("-c", "alias.hang=!sleep 30", "hang")


def test_temporary_files_of_dead_processes_go(team: Team, tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f"git-{dead.pid}-x", f"git-{os.getpid()}-y"):
        (tmp_path / "state/tmp" / name).mkdir(parents=True)
    workspace(team).export(_pushed(team), tmp_path / "out", change())
    assert [path.name for path in (tmp_path / "state/tmp").iterdir()] == [f"git-{os.getpid()}-y"]


def test_no_process_and_no_file_stays_open(team: Team) -> None:
    space = workspace(team)
    base = space.head()
    before = len(os.listdir("/proc/self/fd"))
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    others = children.read_text() if children.exists() else ""  # servers that tests share
    for text in ("1\n", "2\n", "3\n"):
        space.publish(base, change(after=text), BRANCH, "m\n")
    assert len(os.listdir("/proc/self/fd")) == before
    assert not children.exists() or children.read_text() == others
