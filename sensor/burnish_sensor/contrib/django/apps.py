"""The configuration that Django looks for."""

from __future__ import annotations

import os
from typing import Any

from django.apps import AppConfig
from django.conf import settings

import burnish_sensor


class BurnishSensorConfig(AppConfig):  # type: ignore[misc]
    """Starts the sensor when Django meets it; ``ready`` would be too late, after all models were imported."""

    name = "burnish_sensor.contrib.django"
    label = "burnish_sensor"
    verbose_name = "Burnish sensor"

    def __init__(self, app_name: str, app_module: Any) -> None:
        super().__init__(app_name, app_module)
        base = getattr(settings, "BASE_DIR", None)
        if base is not None:
            os.environ.setdefault("BURNISH_ROOT", os.fspath(base))
        burnish_sensor.start()
