"""What old and new are compared on: recorded requests, or calls captured from the service's own tests."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from burnish.finding import Finding
from burnish.job import Change, Check
from burnish_tools.proof.equality import Difference
from burnish_tools.proof.replay import Arm, Harness, Service
from burnish_tools.proof.scratch import ScratchDatabases
from burnish_tools.proof.settings import ProofSettings


@dataclass(frozen=True)
class Scene:
    """What both kinds of evidence work with."""

    job: str
    """The job's id."""
    finding: Finding
    change: Change
    service: Service
    settings: ProofSettings
    databases: ScratchDatabases
    harness: Harness
    state: Path
    rng: random.Random
    progress: Callable[[str, float], None]
    told: dict[str, Any] = field(default_factory=dict)
    """Fields of the proof that have been found so far."""

    def store(self, difference: Difference, **more: Any) -> str:
        """Values of a difference, for a person with access to the state directory; returns the file's name."""
        name = f"differences/{hashlib.sha256(self.job.encode()).hexdigest()[:12]}.json"
        path = self.state / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {**more, "place": difference.place, "old": difference.old, "new": difference.new}
        path.touch(mode=0o600)
        path.write_text(json.dumps(values, indent=1), "utf-8")
        return name


class Evidence(Protocol):
    """Every method raises Refused where it cannot go on; a check that fails ends the proof."""

    name: str
    """Of the stage in which it is gathered."""

    def gather(self, old: Arm) -> None:
        """What is replayed."""

    def tests(self) -> Mapping[str, int]:
        """Tests that reach the function, by their node ids with their calls; empty where that is not known."""

    def equality(self, old: Arm, new: Arm) -> Iterator[Check]:
        """Old and new on the same inputs."""

    def cost(self, old: Arm, new: Arm) -> Iterator[Check]:
        """What the change saves; after `equality`. The effects go to the scene before the first check comes."""
