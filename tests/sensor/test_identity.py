from __future__ import annotations

from burnish_sensor.identity import new_instance


def test_instances_differ() -> None:
    assert new_instance() != new_instance()
