"""Django itself accepts what `composite_index` writes: `makemigrations --check` finds nothing left to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.job import Change
from burnish_tools.recipes._base import Act, MemorySource
from burnish_tools.recipes.composite_index import CompositeIndex
from burnish_tools.recipes.examples.index import PLAIN, files, finding

SETTINGS = """SECRET_KEY = "test"
INSTALLED_APPS = ["depot"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "test.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
EXAMPLES = [example for example in CompositeIndex.examples if isinstance(example, Act)]


def _django(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(root)}
    return subprocess.run([sys.executable, "-m", "django", *arguments], cwd=root, env=environment, check=False,
                          capture_output=True, text=True, timeout=60)  # fmt: skip


PARTIAL = files(PLAIN.replace("kind = models.CharField(max_length=4)", "kind = models.BooleanField(null=True)"))


def partial(where: str) -> Act:
    """A finding that wants an index for some rows; what Django makes of the edit is the test."""
    wanted = finding("sku", "-occurred_at")
    evidence = wanted.evidence.model_copy(update={"index_where": where})
    return Act(where, PARTIAL, wanted.model_copy(update={"evidence": evidence}), {})


@pytest.mark.parametrize(
    "example",
    [EXAMPLES[0], EXAMPLES[3], partial("kind IS NULL"), partial("kind IS NOT NULL"), partial("NOT kind")],
    ids=lambda example: example.name,
)
def test_makemigrations_finds_nothing_to_do(example: Act, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "depot" / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "migrations/__init__.py"):
        (tmp_path / "depot" / name).write_text("")
    (tmp_path / "depot" / "models.py").write_text(example.files["depot/models.py"])
    assert _django(tmp_path, "makemigrations", "depot").returncode == 0

    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.py")}
    change = CompositeIndex().apply(example.finding, MemorySource(files))
    assert isinstance(change, Change), change
    for edit in change.edits:
        (tmp_path / edit.path).write_text(edit.after)

    checked = _django(tmp_path, "makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert bool(example.finding.evidence.index_where) is any("condition=models.Q(kind" in e.after for e in change.edits)
    migrated = _django(tmp_path, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
