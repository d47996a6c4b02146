from __future__ import annotations

import pytest

from burnish.backlog import Priors, blocked, learnt
from burnish.finding import Candidate, Interval
from burnish.job import Job, Outcome, Prediction, State, Step, Verdict
from burnish.testing.scripted import finding, interval
from burnish.why import Why


def job(
    state: State, *, why: Why | None = None, outcome: Outcome | None = None, measured: float = 0.5, n: int = 0
) -> Job:
    found = finding()
    verdict = None
    if outcome is not None:
        verdict = Verdict(
            outcome=outcome, release_before="a", release_after="b", time_saving=interval(measured), wall_before_ns=2,
            wall_after_ns=1, calls_before=1, calls_after=1, queries_before=0, queries_after=0, saving_ns_per_minute=0,
            rank_before=1, rank_after=0, sentence="",
        )  # fmt: skip
    prediction = Prediction(
        function=found.function, time_saving=Interval(value=0.51, low=0.4, high=0.6, n=9), queries_before=0,
        queries_after=0, saving_ns_per_minute=0, transfer=0.85,
    )  # fmt: skip
    candidate = Candidate(finding=found, saving_ns_per_minute=1, chance=1, risk=1)
    return Job(
        id=f"{found.fingerprint}{n}", candidate=candidate, base="c", state=state, step=Step.LEARN, why=why,
        verdict=verdict, prediction=prediction,
    )  # fmt: skip


def test_an_untried_kind_starts_at_its_prior() -> None:
    assert Priors().chance("n_plus_one") == pytest.approx(0.8)
    assert Priors().transfer == pytest.approx(0.85)


def test_success_raises_and_failure_lowers_the_chance() -> None:
    kind = finding().kind
    confirmed = learnt([job(State.DONE, outcome=Outcome.CONFIRMED)])
    refused = learnt([job(State.DECLINED, why=Why.RESULT_DIFFERS)])
    assert refused.chance(kind) < 0.8 < confirmed.chance(kind)


def test_running_and_failed_jobs_teach_nothing() -> None:
    assert learnt([job(State.RUNNING), job(State.WAITING), job(State.FAILED)]) == Priors()


@pytest.mark.parametrize(("measured", "transfer"), [(0.3, 0.5), (0.6, 1.0), (0.9, 1.0), (-0.2, 0.0)])
def test_transfer_is_measured_over_proven_capped_at_one(measured: float, transfer: float) -> None:
    # promised 0.51 at a transfer of 0.85: the proof said 0.6
    priors = learnt([job(State.DONE, outcome=Outcome.CONFIRMED, measured=measured)])
    assert priors.transfers == pytest.approx((transfer,))
    assert priors.transfer == pytest.approx((0.85 * 4 + transfer) / 5)


def test_learning_twice_from_the_same_jobs_is_learning_once() -> None:
    jobs = [job(State.DONE, outcome=Outcome.CONFIRMED)]
    assert learnt(jobs) == learnt(list(jobs))


@pytest.mark.parametrize(
    ("earlier", "why"),
    [
        (job(State.WAITING), Why.IN_PROGRESS),
        (job(State.DECLINED, why=Why.CLOSED_BY_PERSON), Why.REFUSED_BEFORE),
        (job(State.DECLINED, why=Why.LOOP_LOCKS), Why.DECLINED_BEFORE),
        (job(State.DONE, outcome=Outcome.CONFIRMED), Why.DECLINED_BEFORE),
    ],
)
def test_what_stands_against_a_finding(earlier: Job, why: Why) -> None:
    seen = blocked(finding(), [earlier])
    assert seen is not None
    assert seen.why is why


def test_other_code_or_another_function_is_free() -> None:
    declined = job(State.DECLINED, why=Why.LOOP_LOCKS)
    assert blocked(finding(body="changed"), [declined]) is None
    assert blocked(finding("other:f"), [declined, job(State.WAITING)]) is None
