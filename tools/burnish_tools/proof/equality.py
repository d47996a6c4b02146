"""Old and new answers of the harness, compared. Whatever is missing, extra or different is a failure.

What a check tells holds no value from the data (it may reach a prompt or a log): it names the place and the kind of
difference. The values themselves go to a file in the state directory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.job import Check
from burnish.why import Why

IDENTIFIER = re.compile(r"^\$?[A-Za-z_][\w-]{0,40}$")
PARTS = ("status", "count", "calls", "body", "headers", "cookies", "written", "logged", "did")
INDEX = re.compile(r"\[\d+\]")
ARGUMENT = re.compile(r"^call\[\]\.arguments")
MAX_UNSTEADY = 20
NAMES = {"calls": "call", "count": "number of calls of the function", "written": "rows written to", "body": "body"}
NAMES |= {"logged": "lines of the log", "did": "what the function does besides"}


@dataclass(frozen=True)
class Difference:
    """The first place at which two values differ."""

    place: str
    kind: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class Found:
    """A difference and the request in which it was seen."""

    request: int
    entry: str
    difference: Difference
    altered: bool
    """True where the data had been altered beforehand."""

    @property
    def sentence(self) -> str:
        """Without any value from the data."""
        when = ", after the data had been altered," if self.altered else ""
        what = f"{self.difference.place}: {self.difference.kind}"
        return f"request {self.request + 1} ({self.entry}){when} differs at {what}"


def difference(old: Any, new: Any, place: str = "", apart: Collection[str] = ()) -> Difference | None:
    """The first difference of two canonical values, depth first in the old one's order; none at the places `apart`."""
    if apart and shape_of(place) in apart:
        return None
    if type(old) is not type(new) or (isinstance(old, list) and len(old) != len(new)):
        return Difference(place, f"{kind_of(old)} became {kind_of(new)}", old, new)
    if isinstance(old, dict):
        if "$model" in old and old.get("$model") == new.get("$model"):
            return _model_difference(old, new, place, apart)
        return _dict_difference(old, new, place, apart)
    if isinstance(old, list):
        pairs = enumerate(zip(old, new, strict=True))
        return next((d for i, (a, b) in pairs if (d := difference(a, b, f"{place}[{i}]", apart))), None)
    return None if repr(old) == repr(new) else Difference(place, f"another {kind_of(new)}", old, new)


def _dict_difference(old: dict[str, Any], new: dict[str, Any], place: str, apart: Collection[str]) -> Difference | None:
    for key, value in old.items():
        inside = f"{place}{_key(key)}"
        if key not in new:
            return Difference(inside, f"{kind_of(value)} is missing", value, None)
        if found := difference(value, new[key], inside, apart):
            return found
    extra = next((key for key in new if key not in old), None)
    return None if extra is None else Difference(f"{place}{_key(extra)}", "is new", None, new[extra])


def _model_difference(
    old: dict[str, Any], new: dict[str, Any], place: str, apart: Collection[str]
) -> Difference | None:
    """Fields that one side has not loaded are no difference (the value is there when it is asked for), nor are
    annotations that only the new side has."""
    both = [name for name in old["fields"] if name in new["fields"]]
    before, after = ({n: side["fields"][n] for n in both} for side in (old, new))
    found = _dict_difference(before, after, place, apart)
    kept = {name: new["extra"][name] for name in old["extra"] if name in new["extra"]}
    return found or _dict_difference(old["extra"], kept, place, apart)


def _key(key: str) -> str:
    if key.startswith("$"):
        return ""
    return f".{key}" if IDENTIFIER.match(key) else ".(key)"


def kind_of(value: Any) -> str:
    """A value's kind and size, never its content."""
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, dict):
        kind = next((k[1:] for k in value if k.startswith("$")), "")
        content = value.get("$" + kind)
        size = f" of {len(content)}" if isinstance(content, list) else ""
        return (kind or f"object with {len(value)} keys") + size
    return {bool: "boolean", int: "number", float: "number"}.get(type(value), "null")


def differences(old: dict[str, Any], new: dict[str, Any], apart: Collection[str] = ()) -> Iterator[Found]:
    """The first difference of each request, in order; then those seen on altered data. None at the places `apart`."""
    for phase in ("requests", "changed"):
        for number, (a, b) in enumerate(zip(old[phase], new[phase], strict=True)):
            for part in PARTS:
                if found := difference(a.get(part), b.get(part), NAMES.get(part, part), apart):
                    yield Found(number, a["entry"], found, phase == "changed")
                    break


def unsteady(old: dict[str, Any], again: dict[str, Any]) -> frozenset[str]:
    """Where the arguments of calls are not the same when the old code runs twice, such as the instant at which a
    cache of the service expires: nothing can be said there. Anything else that is not repeatable stays a difference."""
    places: set[str] = set()
    while len(places) < MAX_UNSTEADY:
        seen = {shape_of(f.difference.place) for f in differences(old, again, places)}
        fresh = {place for place in seen - places if ARGUMENT.match(place)}
        if not fresh:
            break
        places |= fresh
    return frozenset(places)


def shape_of(place: str) -> str:
    """`call[3].arguments[0]` as `call[].arguments[]`."""
    return INDEX.sub("[]", place)


def equality_check(
    found: Sequence[Found],
    old: dict[str, Any],
    stored_in: str = "",
    control: Sequence[Found] = (),
    apart: Collection[str] = (),
) -> Check:
    """The verdict on all requests. `control`: what the old code shows against itself, asked when something differs;
    `apart`: the places that were left out for it."""
    requests = old["requests"]
    if found:
        detail = [f.sentence for f in found[:5]]
        if control:
            detail.append(f"the old code is not repeatable itself: {control[0].sentence}")
        detail.append(f"the values are in {stored_in} in the state directory")
        summary = f"Old and new differ in {len(found)} of {len(requests)} requests; first: {found[0].sentence}."
        return Check(name="equality", passed=False, summary=summary, why=Why.RESULT_DIFFERS, detail=tuple(detail))
    calls = sum(r["count"] for r in requests)
    summary = (
        f"{len(requests)} recorded requests and {calls} calls of the function gave the same results, arguments, "
        f"exceptions and written rows on both sides; so did {len(old['changed'])} more on altered data."
    )
    detail = [f"not compared, as the old code does not repeat it: {place}" for place in sorted(apart)]
    return Check(name="equality", passed=True, summary=summary, detail=tuple(detail))


def queries_check(old: dict[str, Any], new: dict[str, Any]) -> Check:
    """No request may run more statements than before, however cheap they are.

    One exception: what is fetched once before a loop is fetched in vain where the loop is empty. So one query more is
    accepted on single requests while all together make fewer.
    """
    pairs = list(zip(old["requests"], new["requests"], strict=True))
    worse = [(i, a, b) for i, (a, b) in enumerate(pairs, 1) if b["queries"] > a["queries"]]
    before, after = (sum(r["queries"] for r in side["requests"]) for side in (old, new))
    if worse and (after >= before or any(b["queries"] > a["queries"] + 1 for _, a, b in worse)):
        detail = [f"request {i} ({a['entry']}): {a['queries']} → {b['queries']} queries" for i, a, b in worse[:5]]
        summary = f"{len(worse)} of {len(pairs)} requests make more queries; {detail[0]}."
        return Check(name="queries", passed=False, summary=summary, why=Why.MORE_QUERIES, detail=tuple(detail))
    some = f"{len(worse)} of {len(pairs)} requests make one query more" if worse else "No request makes more queries"
    summary = f"{some}; all together {before} → {after}."
    return Check(name="queries", passed=True, summary=summary)


def queries_per_call(answer: dict[str, Any]) -> float:
    """Mean number of queries in one call of the judged function."""
    calls = sum(r["count"] for r in answer["requests"])
    return sum(r["call_queries"] for r in answer["requests"]) / calls if calls else 0.0
