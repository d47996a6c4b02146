"""What people use today, each switched on as its own documentation says, for the rest of the process."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
_kept: list[Any] = []
_LEFT = {"__new__", "__init_subclass__", "__class_getitem__", "__getattr__", "__getattribute__", "__del__", "__repr__"}


def start(variant: str, root: str) -> None:
    """Switch a rival on; what is not one (plain, the sensor) does nothing."""
    begin = RIVALS.get(variant)
    if begin is not None:
        begin(root)


def _cprofile(root: str) -> None:
    import cProfile

    profile = cProfile.Profile()
    profile.enable()
    _kept.append(profile)


def _yappi(root: str) -> None:
    import yappi  # type: ignore[import-not-found, unused-ignore]

    yappi.set_clock_type("cpu")
    yappi.start()


def _pyinstrument(root: str) -> None:
    from pyinstrument import Profiler  # type: ignore[import-not-found, unused-ignore]

    profiler = Profiler(interval=0.001)
    profiler.start()
    _kept.append(profiler)


def _ddtrace(root: str) -> None:
    from ddtrace.profiling import Profiler  # type: ignore[import-not-found, unused-ignore]

    profiler = Profiler()
    profiler.start()
    _kept.append(profiler)


def _opentelemetry(root: str) -> None:
    """A span for each call of a function of the program, batched to an exporter that does nothing."""
    from opentelemetry.sdk.trace import TracerProvider  # type: ignore[import-not-found, unused-ignore]
    from opentelemetry.sdk.trace.export import (  # type: ignore[import-not-found, unused-ignore]
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )

    class Nowhere(SpanExporter):  # type: ignore[misc, unused-ignore]
        def export(self, spans: Any) -> Any:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    span = provider.get_tracer("bench").start_as_current_span
    for module in list(sys.modules.values()):
        if str(getattr(module, "__file__", None) or "").startswith(root + "/"):
            for owner in _owners(module):
                _wrap_all(owner, module.__name__, span)


def _owners(module: ModuleType) -> Iterator[Any]:
    yield module
    for value in list(vars(module).values()):
        # not isinstance: that asks a lazy object for its __class__, and Django's settings are one
        if issubclass(type(value), type) and value.__module__ == module.__name__:
            yield value


def _wrap_all(owner: Any, module: str, span: Callable[[str], Any]) -> None:
    for name, value in list(vars(owner).items()):
        inner = value.__func__ if type(value) in (staticmethod, classmethod) else value
        if name in _LEFT or type(inner) is not FunctionType or inner.__module__ != module:
            continue
        wrapped: Any = _in_span(inner, span)
        try:
            setattr(owner, name, wrapped if inner is value else type(value)(wrapped))
        except (AttributeError, TypeError):
            continue


def _in_span(function: F, span: Callable[[str], Any]) -> F:
    name = function.__qualname__

    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        with span(name):
            return function(*args, **kwargs)

    return cast(F, traced)


RIVALS: dict[str, Callable[[str], None]] = {
    "cProfile": _cprofile,
    "yappi": _yappi,
    "pyinstrument": _pyinstrument,
    "OpenTelemetry": _opentelemetry,
    "ddtrace": _ddtrace,
}
