from __future__ import annotations

import pytest

from burnish.nearest import nearest

NAMES = ["shop.views:orders", "shop.views:health", "shop.models:Order.total", "shop.jobs:orders"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("shop.views:ordrs", ("shop.views:orders", "shop.jobs:orders")),
        ("shop.view:health", ("shop.views:health",)),
        ("ordrs", ("shop.views:orders", "shop.jobs:orders")),
        ("Order.totl", ("shop.models:Order.total",)),
        ("billing.jobs:nightly", ()),
        ("", ()),
    ],
)
def test_nearest(text: str, meant: tuple[str, ...]) -> None:
    assert nearest(text, NAMES) == meant
