"""Rare spikes: on windows that the sensor wrote of a real program (`data/record.py`), and where there is nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from burnish.conditions import Exemplar, Looked, Sample
from burnish.finding import Finding
from burnish.testing.windows import write
from burnish.why import Why
from burnish_tools.detectors.rare_spike import RareSpike
from burnish_tools.runtime import SqliteRuntime
from tests.tools.detectors.recorded import DATA, a_profile, function, recorded, run, told
from tests.tools.detectors.shapes import reasons


@pytest.mark.parametrize(
    "name, where, conditions",
    [
        ("size", "pricing:total", ("arg.items.size ≥ 512",)),
        ("type", "pricing:discount", ("arg.customer.type = pricing.Reseller",)),
        ("pair", "pricing:export", ("arg.rows.size ≥ 512", "arg.full.is = true")),
    ],
    ids=["a size", "a type", "two that hold together"],
)
def test_what_makes_a_real_program_slow_is_named(name: str, where: str, conditions: tuple[str, ...]) -> None:
    runtime, profile = recorded(name)
    (found,), _ = run("rare_spike", profile, runtime)
    assert (found.function, found.evidence.conditions) == (where, conditions)
    assert found.informs
    share = found.evidence.slow_share
    assert share is not None
    assert share.low > 0.8
    assert found.evidence.lift > 5
    assert found.evidence.support >= 10
    assert found.evidence.notes[0].startswith("p99 ")
    assert f"when {' and '.join(conditions)}: " in found.evidence.notes[0]
    tail = profile.function(where)
    assert tail is not None
    assert 0 < found.removable_ns < tail.wall.mean


def test_the_same_comes_out_of_the_store(tmp_path: Path) -> None:
    lines = (DATA / "pair.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "pricing", "production", write(tmp_path / "windows", *lines))
    runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    detector = RareSpike(RareSpike.Settings())
    (found,) = [one for one in detector.detect(profile, runtime, None) if isinstance(one, Finding)]
    assert found.evidence.conditions == ("arg.rows.size ≥ 512", "arg.full.is = true")
    assert found.calls_per_minute.low > 0


def test_a_caller_that_only_waits_for_it_is_no_finding_of_its_own() -> None:
    runtime, profile = recorded("size")
    _, passed = run("rare_spike", profile, runtime)
    assert reasons(passed) == {"pricing:handle": Why.DUPLICATE}


def test_the_fingerprint_is_that_of_the_condition() -> None:
    (one,), _ = run("rare_spike", recorded("size")[1], recorded("size")[0])
    other = one.model_copy(update={"evidence": one.evidence.model_copy(update={"conditions": ("first = true",)})})
    assert one.fingerprint != other.fingerprint


def test_spikes_without_a_reason_are_left_alone() -> None:
    runtime, profile = recorded("noise")
    findings, passed = run("rare_spike", profile, runtime)
    assert findings == []
    assert reasons(passed)["pricing:lookup"] in (Why.NO_CONDITION, Why.NOT_ENOUGH_CALLS)


def test_an_outcome_is_a_companion_and_no_condition() -> None:
    """`report` asks the database 60 times in its slow calls: that may be how it is slow, not when"""
    runtime, profile = recorded("queries")
    findings, passed = run("rare_spike", profile, runtime)
    assert findings == []
    (one,) = [p for p in passed if p.function == "pricing:report"]
    assert "the slow calls also have queries ≥" in one.detail


def test_a_function_that_grows_with_its_input_has_no_spikes() -> None:
    runtime, profile = recorded("growth")
    assert run("rare_spike", profile, runtime)[0] == []


def sampled(rng: random.Random, windows: int = 24) -> list[Sample]:
    """Windows of a function whose slow calls (3 %) have nothing to do with its facts."""
    samples = []
    for i in range(windows):
        slow = [rng.random() < 0.5 for _ in range(8)]
        rows = [
            Exemplar(
                function="m:f",
                sample="slow" if is_slow else "uniform",
                slow=is_slow,
                wall_ns=round((80e6 if is_slow else 2e6) * rng.lognormvariate(0, 0.3)),
                own_ns=10**6,
                facts={
                    "arg.a.size": 2 ** rng.randint(0, 10),
                    "arg.b.is": rng.random() < 0.1,
                    "arg.c.type": rng.choice(["int", "str", "NoneType"]),
                    "note.cache": rng.choice(["hit"] * 9 + ["miss"]),
                    "age_s": 2 ** rng.randint(0, 12),
                },
            )
            for is_slow in slow
        ]
        looked = Looked(function="m:f", calls=300, slow_ns=10_000_000, slow_calls=9)
        samples.append(Sample(looked, tuple(rows), i * 60 * 10**9))
    return samples


def test_noise_has_no_condition() -> None:
    profile = a_profile([function("m:f", 7200, [2.0] * 97 + [80.0] * 3)], windows=24, seconds=1440)
    found = 0
    for seed in range(150):
        runtime = told(profile, samples={("m:f", "a"): sampled(random.Random(seed))})
        findings, passed = run("rare_spike", profile, runtime)
        found += len(findings)
        assert len(findings) + len(passed) == 1
    assert found == 0
