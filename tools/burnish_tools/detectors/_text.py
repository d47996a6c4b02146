"""Numbers as people read them."""

from __future__ import annotations

from burnish.finding import Interval


def duration(ns: float) -> str:
    """`2.1 s`, `43 ms`, `0.25 ms`."""
    if ns >= 1e9:
        return f"{ns / 1e9:.1f} s"
    return f"{ns / 1e6:.0f} ms" if ns >= 10e6 else f"{ns / 1e6:.2g} ms"


def percent(value: float) -> str:
    """`83 %`, `0.4 %`, `0.03 %`."""
    if value >= 0.1:
        return f"{value * 100:.0f} %"
    return f"{value * 100:.2g} %"


def share(interval: Interval) -> str:
    """`83 % (79–87 %)`."""
    return f"{percent(interval.value)} ({percent(interval.low).removesuffix(' %')}–{percent(interval.high)})"
