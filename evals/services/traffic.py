"""The traffic mix: a TOML file in, a reproducible sequence of requests for each simulated user out.

The sequence of user *k* depends only on the mix, the seed and *k*: not on the clock, on the answers, or on the
number of users. The file has three parts::

    think_mean_ms = 12.0                      # pause before each request, exponential, cut at five times the mean

    [parameters]                              # what $name in a path or body stands for
    customer = { count = 5000, zipf = 0.9, scaled = true }          # 1..count, number k weighs 1 / k ** zipf
    slug     = { count = 4000, zipf = 0.9, format = "p-{:05d}" }    # the number, written into a format
    kind     = { choices = ["sale", "return"], weights = [7, 3] }

    [[request]]
    name = "GET customers/<int:pk>/"          # how results are grouped
    path = "/customers/$customer/"
    weight = 5.0                              # or `once = 40`: only the 40th request of user 0
"""

from __future__ import annotations

import json
import random
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote

THINK_CAP = 5.0


class MixError(ValueError):
    """The mix file cannot be used; the message names the file, the key and the mend."""


@dataclass(frozen=True)
class Request:
    """One request as it will be sent. `expect`: the statuses that are not errors."""

    name: str
    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]
    expect: frozenset[int]
    think_s: float


@dataclass(frozen=True)
class Parameter:
    """A distribution of values: `values[i]` with the cumulative weight `cumulative[i]`."""

    values: tuple[int | str, ...]
    cumulative: tuple[float, ...]

    def draw(self, rng: random.Random) -> int | str:
        return rng.choices(self.values, cum_weights=self.cumulative)[0]


@dataclass(frozen=True)
class Template:
    """One `[[request]]` of the mix."""

    name: str
    method: str
    path: str
    weight: float
    once: int | None
    body: Any
    headers: Mapping[str, str]
    expect: frozenset[int]


@dataclass(frozen=True)
class Mix:
    """The weights, the parameters and the mean pause (seconds) of the simulated users."""

    think_mean_s: float
    parameters: Mapping[str, Parameter]
    templates: tuple[Template, ...]

    def requests(self, seed: int, user: int) -> Iterator[Request]:
        """The endless sequence of requests of one user, counted from 0."""
        rng = random.Random(f"{seed}:{user}")
        weighted = [t for t in self.templates if t.once is None]
        cumulative = list(accumulate(t.weight for t in weighted))
        once = {t.once: t for t in self.templates if t.once is not None and user == 0}
        number = 0
        while True:
            number += 1
            drawn = rng.choices(weighted, cum_weights=cumulative)[0]
            yield self._fill(once.get(number, drawn), rng)

    def _fill(self, template: Template, rng: random.Random) -> Request:
        think = min(rng.expovariate(1.0), THINK_CAP) * self.think_mean_s
        values = {name: self.parameters[name].draw(rng) for name in _names_used(template)}
        path = string.Template(template.path).substitute({k: quote(str(v), safe="") for k, v in values.items()})
        body = None if template.body is None else json.dumps(_fill_body(template.body, values)).encode()
        return Request(template.name, template.method, path, body, template.headers, template.expect, think)


def load_mix(path: Path, scale: float = 1.0) -> Mix:
    """Read a mix file. `scale` multiplies the count of the parameters marked `scaled`.

    Raises MixError when the file is missing, is not TOML, or misses or misuses a key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MixError(f"{path}: cannot be read ({error.strerror}); give the mix file with --mix") from error
    except tomllib.TOMLDecodeError as error:
        raise MixError(f"{path}: not valid TOML: {error}") from error
    try:
        return parse_mix(data, scale)
    except MixError as error:
        raise MixError(f"{path}: {error}") from error


def parse_mix(data: Mapping[str, Any], scale: float = 1.0) -> Mix:
    """The mix of an already decoded file; see the module's docstring for the keys."""
    parameters = {name: _parameter(name, spec, scale) for name, spec in data.get("parameters", {}).items()}
    templates = tuple(_template(spec) for spec in data.get("request", []))
    if not any(t.once is None for t in templates):
        raise MixError("no [[request]] with a weight: add at least one")
    for template in templates:
        for name in _names_used(template):
            if name not in parameters:
                raise MixError(f"request {template.name!r} uses ${name}: add it under [parameters]")
    return Mix(float(data.get("think_mean_ms", 0.0)) / 1000.0, parameters, templates)


def _parameter(name: str, spec: Mapping[str, Any], scale: float) -> Parameter:
    values: tuple[int | str, ...]
    if "choices" in spec:
        values = tuple(spec["choices"])
        weights = [float(w) for w in spec.get("weights", [1.0] * len(values))]
        if not values or len(weights) != len(values):
            raise MixError(f"parameters.{name}: choices and weights must have the same length, at least 1")
        return Parameter(values, tuple(accumulate(weights)))
    if "count" not in spec:
        raise MixError(f"parameters.{name}: give either choices or count")
    count = max(1, round(spec["count"] * (scale if spec.get("scaled") else 1.0)))
    text = spec.get("format")
    values = tuple(text.format(n) if text else n for n in range(1, count + 1))
    return Parameter(values, tuple(accumulate(n ** -float(spec.get("zipf", 0.0)) for n in range(1, count + 1))))


def _template(spec: Mapping[str, Any]) -> Template:
    for key in ("name", "path"):
        if key not in spec:
            raise MixError(f"a [[request]] has no {key}: {dict(spec)}")
    if ("weight" in spec) == ("once" in spec):
        raise MixError(f"request {spec['name']!r}: give either weight or once")
    weight = float(spec.get("weight", 0.0))
    if "weight" in spec and weight <= 0:
        raise MixError(f"request {spec['name']!r}: weight must be above 0")
    return Template(
        name=spec["name"],
        method=spec.get("method", "GET"),
        path=spec["path"],
        weight=weight,
        once=spec.get("once"),
        body=spec.get("body"),
        headers=dict(spec.get("headers", {})),
        expect=frozenset(spec.get("expect", [200])),
    )


def _names_used(template: Template) -> list[str]:
    text = template.path + "\n" + json.dumps(template.body)
    return sorted(set(string.Template(text).get_identifiers()))


def _fill_body(part: Any, values: Mapping[str, int | str]) -> Any:
    """A string that is just `$name` becomes the value itself, so that numbers stay numbers."""
    if isinstance(part, dict):
        return {key: _fill_body(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_fill_body(value, values) for value in part]
    if isinstance(part, str) and part.startswith("$") and part[1:] in values:
        return values[part[1:]]
    return string.Template(part).substitute(values) if isinstance(part, str) else part
