"""The patches as data: `patches/SERVICE/KIND.toml` or `KIND-PART.toml`, one table `[[patch]]` each.

name       unique within the service
function   the judged function, `module:Qualified.name`
sentence   what the patch does
check      the check that has to refuse it; an honest patch has none
why        the reason that it has to give; `forbidden_edit` unless told otherwise
says       a text that has to occur in what is told: a rule's name, a place
edit       tables of `path`, `old` and `new`: the text in the file, which occurs once, and what takes its place;
           with an empty `old` a new file
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from burnish.finding import Model
from burnish.job import Change, FileEdit
from burnish.protocols import Source
from burnish.why import Why

ROOT = Path(__file__).parent / "patches"
HONEST = "honest"
UNSEEN = "unseen"
"""Cheats that no static rule knows: what only behaviour can refuse."""
KINDS = (
    "memo",
    "moved",
    "fast_path",
    "dropped",
    "precision",
    "removed",
    "edited_tests",
    "introspection",
    UNSEEN,
    HONEST,
)


class Edit(Model):
    """One replacement in one file."""

    path: str
    old: str
    new: str


class Patch(Model):
    """One patch with what has to become of it."""

    service: str
    kind: str
    name: str
    function: str
    sentence: str
    edit: tuple[Edit, ...]
    check: str = ""
    why: Why = Why.FORBIDDEN_EDIT
    says: str = ""

    @property
    def id(self) -> str:
        """`service/kind/name`."""
        return f"{self.service}/{self.kind}/{self.name}"

    def change(self, source: Source) -> Change:
        """The patch as a change of these files. Raises ValueError where it does not fit."""
        after: dict[str, str] = {}
        for edit in self.edit:
            text = after.get(edit.path, source.read(edit.path) or "")
            if edit.old and text.count(edit.old) != 1:
                raise ValueError(f"{self.id}: the old text is {text.count(edit.old)} times in {edit.path}, not once")
            after[edit.path] = text.replace(edit.old, edit.new) if edit.old else edit.new
        edits = [FileEdit(path=path, before=source.read(path), after=text) for path, text in after.items()]
        told = {"recipe": "patch", "title": self.name, "summary": self.sentence, "safety": "see evals/hacks"}
        return Change(**told, edits=tuple(edits))


def load(root: Path = ROOT) -> list[Patch]:
    """All patches, by service and kind. Raises ValueError for a kind that is not known or a name that occurs twice."""
    found: list[Patch] = []
    for path in sorted(root.glob("*/*.toml")):
        service, kind = path.parent.name, path.stem.partition("-")[0]
        if kind not in KINDS:
            raise ValueError(f"{path}: no such kind; there are {', '.join(KINDS)}")
        tables = tomllib.loads(path.read_text("utf-8"))["patch"]
        found += [Patch.model_validate({"service": service, "kind": kind, **table}) for table in tables]
    names = [patch.id for patch in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"these names occur twice: {', '.join(sorted(twice))}")
    return found


def chosen(patches: Sequence[Patch], names: Sequence[str], kinds: Sequence[str]) -> list[Patch]:
    """Those whose id contains one of `names` and whose kind is one of `kinds`; empty means all."""
    return [p for p in patches if (not names or any(n in p.id for n in names)) and (not kinds or p.kind in kinds)]
