from __future__ import annotations

import sys
from pathlib import Path

import pytest

from burnish_tools.plugins import found

RECIPE = "class {kind}:\n    name = {name!r}\n    def apply(self): ...\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `kit` on the path, with one recipe, a helper and a class that is none."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [m for m in sys.modules if m.split(".")[0] in ("kit", "other")]:
        monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "one.py").write_text(RECIPE.format(kind="One", name="b") + "class Nothing: ...\n", encoding="utf-8")
    (folder / "_helper.py").write_text("raise ImportError\n", encoding="utf-8")
    return folder


def names(package: Path) -> list[str]:
    return [kind.name for kind in found("kit", [str(package)], "apply")]


def test_a_file_that_is_dropped_in_is_found(package: Path) -> None:
    assert names(package) == ["b"]
    (package / "two.py").write_text(RECIPE.format(kind="Two", name="a"), encoding="utf-8")
    assert names(package) == ["a", "b"]


def test_another_distribution_adds_its_own_by_entry_point(package: Path) -> None:
    site = package.parent
    (site / "other.py").write_text(RECIPE.format(kind="Other", name="other"), encoding="utf-8")
    metadata = site / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[burnish.kit]\nother = other:Other\n", encoding="utf-8")
    assert names(package) == ["b", "other"]


def test_two_of_one_name_are_refused(package: Path) -> None:
    (package / "two.py").write_text(RECIPE.format(kind="Two", name="b"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"two of burnish\.kit are called 'b'"):
        names(package)
