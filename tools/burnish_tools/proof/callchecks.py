"""Replayed calls of both sides compared, and what that means. Whatever is missing, extra or different is a failure.

As in `equality.py`, what a check tells holds no value from the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.job import Check
from burnish.why import Why
from burnish_tools.proof.equality import Difference, difference

PARTS = ("overtime", "returned", "type", "raised", "shared", "arguments", "state", "logged", "printed", "written")
NAMES = {
    "returned": "the result",
    "type": "the kind of exception",
    "raised": "the exception",
    "shared": "who holds the same object",
    "arguments": "the arguments after the call",
    "state": "global state",
    "printed": "what is printed",
    "logged": "what is logged",
    "written": "rows written to",
    "overtime": "the time it takes",
}
OWN_WORDS = (
    "TypeError",
    "AttributeError",
    "KeyError",
    "IndexError",
    "ValueError",
    "ZeroDivisionError",
    "OverflowError",
)
"""Exceptions whose text is the interpreter's: on an argument that nobody meant to pass, their kind has to stay and the
text may name another operation."""
CAPTURED = "captured"
DRAWN = "drawn"
"""From the annotations of the function."""

Result = Mapping[str, Any]
Results = Mapping[tuple[str, int], Result]
"""By phase (`calls`, `again`) and number of the case."""


@dataclass(frozen=True)
class Found:
    """A difference, and the case in which it was seen."""

    case: int
    kind: str
    """`captured`, or how the call was made out of a captured one."""
    test: str
    phase: str
    difference: Difference

    @property
    def sentence(self) -> str:
        """Without any value from the data."""
        whose = f"a call captured from {self.test}" if self.kind == CAPTURED else f"a generated call ({self.kind})"
        when = {"again": ", when it comes again,", "moved": ", when rows have changed places,"}.get(self.phase, "")
        return f"{whose}{when} differs in {self.difference.place}: {self.difference.kind}"


def unusable(case: Mapping[str, Any], result: Result | None) -> str:
    """Why a case says nothing about the old code; empty where it does."""
    if result is None:
        return "ends the process"
    if "unloadable" in result:
        return "its arguments cannot be loaded outside of its test"
    if "overtime" in result:
        return "takes too long"
    if case["kind"] == CAPTURED and result.get("type", "") != case["raised"]:
        return "needs what its test has set up"
    if case["kind"].startswith(("measured", "shape")) and "raised" in result:
        return "an enlarged call that raises"
    return ""


def differs(case: Mapping[str, Any], old: Result | None, new: Result | None) -> Difference | None:
    """The first difference of two results of one case."""
    if old is None or new is None:
        return None if old is new else Difference("the call itself", "it ended the process or never came back")
    ours = case["kind"] != CAPTURED and str(old.get("type", "")).removeprefix("builtins.") in OWN_WORDS
    for part in PARTS:
        if part == "raised" and ours:
            continue
        if (part in old) != (part in new):
            return Difference(NAMES[part], _became(old, new), old.get(part), new.get(part))
        if part == "state":
            found = _state_difference(old.get(part) or {}, new.get(part) or {})
        else:
            found = _difference(old.get(part), new.get(part), NAMES[part])
        if found is not None:
            return found
    return None


def _difference(old: Any, new: Any, place: str) -> Difference | None:
    """As for requests; of what is too large to be written down only that it differs."""
    if old != new and any(isinstance(side, dict) and "$large" in side for side in (old, new)):
        return Difference(place, "another large value", old, new)
    return difference(old, new, place)


def _state_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference | None:
    """`old` and `new` hold what the call has changed, by name. A name of the code is no value."""
    for name in sorted({*old, *new}):
        if name not in new:
            return Difference(f"global state, {name}", "is not changed any more", old[name], None)
        if name not in old:
            return Difference(f"global state, {name}", "is changed", None, new[name])
        if found := _difference(old[name], new[name], f"global state, {name}"):
            return found
    return None


def _became(old: Result, new: Result) -> str:
    def outcome(result: Result) -> str:
        if "overtime" in result:
            return "no end in time"
        return "an exception" if "raised" in result else "a result"

    return f"{outcome(old)} became {outcome(new)}"


def differences(cases: Mapping[int, Mapping[str, Any]], old: Results, new: Results) -> Iterator[Found]:
    """The first difference of each case, in order; then those of the second time."""
    for (phase, number), before in old.items():
        if number in cases:
            case = cases[number]
            seen = differs(case, before, new.get((phase, number)))
            if seen is not None:
                yield Found(number, case["kind"], case.get("test", ""), phase, seen)


@dataclass(frozen=True)
class Told:
    """How much was compared: distinct captured calls, the tests that made them, generated calls, and what was not."""

    captured: int
    tests: int
    generated: int
    left_out: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """`214 calls captured from 31 tests and 120 generated ones`"""
        generated = f"{self.generated} generated ones"
        if not self.captured:
            return f"{self.generated} generated calls"
        captured = f"{self.captured} calls captured from {counted(self.tests, 'test')}"
        return f"{captured} and {generated}" if self.generated else captured

    @property
    def not_compared(self) -> str:
        """A sentence, or nothing."""
        listed = "; ".join(f"{count} {reason}" for reason, count in sorted(self.left_out.items()))
        return f" Left out: {listed}." if listed else ""


def counted(number: int, noun: str) -> str:
    """`1 test`, `2 tests`"""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def told(cases: Iterable[Mapping[str, Any]], left_out: Mapping[str, int]) -> Told:
    """Counts the cases that are compared."""
    kinds: Counter[bool] = Counter()
    tests = set()
    for case in cases:
        kinds[case["kind"] == CAPTURED] += 1
        tests.add(case.get("test", ""))
    return Told(kinds[True], len(tests - {""}), kinds[False], left_out)


def equality_check(found: Sequence[Found], compared: Told, stored_in: str = "") -> Check:
    """The verdict on all calls."""
    if found:
        detail = (*(f.sentence for f in found[:5]), f"the values are in {stored_in} in the state directory")
        cases = len({f.case for f in found})
        summary = f"Old and new differ in {cases} of {compared.captured + compared.generated} calls; first: "
        return Check(
            name="equality",
            passed=False,
            summary=f"{summary}{found[0].sentence}.",
            why=Why.RESULT_DIFFERS,
            detail=detail,
        )
    summary = (
        f"{compared.sentence} gave the same results, exceptions, changed arguments, global state, output, log records "
        f"and written rows on both sides.{compared.not_compared}"
    )
    return Check(name="equality", passed=True, summary=summary)


def queries_check(cases: Mapping[int, Mapping[str, Any]], old: Results, new: Results) -> Check:
    """As for requests: no more statements than before, but for one that a loop without rows would not have needed."""
    pairs = [(old["calls", number]["queries"], new["calls", number]["queries"]) for number in cases]
    before, after = (sum(side) for side in zip(*pairs, strict=True))
    worse = [(a, b) for a, b in pairs if b > a]
    if worse and (after >= before or any(b > a + 1 for a, b in worse)):
        a, b = worse[0]
        summary = f"{len(worse)} of {len(pairs)} calls make more queries; the first {a} → {b}."
        return Check(name="queries", passed=False, summary=summary, why=Why.MORE_QUERIES)
    some = f"{len(worse)} of {len(pairs)} calls make one query more" if worse else "No call makes more queries"
    return Check(name="queries", passed=True, summary=f"{some}; all together {before} → {after}.")


def queries_per_call(cases: Mapping[int, Mapping[str, Any]], results: Results) -> float:
    """Mean over the captured calls, or over all where none is captured."""
    mine = [n for n, case in cases.items() if case["kind"] == CAPTURED] or list(cases)
    return float(sum(results["calls", number]["queries"] for number in mine) / max(len(mine), 1))
