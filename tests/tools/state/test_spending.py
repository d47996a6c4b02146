"""What the model has cost, shared by machines."""

from __future__ import annotations

import pytest

from burnish.testing.scripted import FixedClock
from burnish_tools.model import ModelSettings
from burnish_tools.model.budget import Budget, Usage
from burnish_tools.state.spending import PostgresSpending


@pytest.mark.postgres
def test_two_machines_have_one_limit(state_url: str) -> None:
    settings, clock = ModelSettings(name="test-model", usd_per_day=1.0), FixedClock(7.0)
    one, two = (Budget(PostgresSpending(state_url), settings, clock) for _ in range(2))
    usage = Usage(input_tokens=100_000, output_tokens=10_000)
    one.record("job", "edit@1", usage, "end_turn", "an answer")
    assert two.spent() == pytest.approx(one.usd(usage))
    assert two.allows(Usage())
    two.record("job", "edit@1", usage, "end_turn")
    assert not one.allows(usage)
    tomorrow = Budget(PostgresSpending(state_url), settings, FixedClock(7.0 + 86_400))
    assert tomorrow.spent() == 0.0
