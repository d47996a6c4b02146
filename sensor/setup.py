"""Adds the native recorder to what ``pyproject.toml`` says. It is optional: without a compiler the install goes on."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def extensions() -> list[Extension]:
    """The extension, where it can be of use: it relies on CPython's frames and on the GIL."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return []
    found = _VERSION.search(Path(__file__).with_name("burnish_sensor").joinpath("__init__.py").read_text("utf-8"))
    assert found is not None
    return [
        Extension(
            "burnish_sensor.recording._core",
            ["burnish_sensor/recording/_core.c"],
            depends=[
                f"burnish_sensor/recording/{name}.h"
                for name in ("_compat", "_histogram", "_json", "_methods", "_queries", "_statements")
            ],
            define_macros=[("CORE_VERSION", f'"{found[1]}"')],
            optional=True,
        )
    ]


setup(ext_modules=extensions())
