from __future__ import annotations

from collections.abc import Iterator

import pytest

from burnish_sensor.recording.native import load
from tests.sensor.support import Bench


@pytest.fixture(params=["python", "native"])
def each_recorder(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs a test over both implementations of the recorder."""
    if request.param == "native" and load() is None:
        pytest.skip("burnish_sensor.recording._core is not built for this Python: pip install -e ./sensor")
    Bench.native = request.param == "native"
    yield
    Bench.native = False
