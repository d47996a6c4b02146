"""The shape of ``docs/format.md`` as assertions: keys, types, and that rows and tables agree with each other."""

from __future__ import annotations

import hashlib
from typing import Any

WINDOW = {
    "format": int,
    "service": str,
    "environment": str,
    "release": str,
    "instance": str,
    "sequence": int,
    "start_unix_ns": int,
    "end_unix_ns": int,
    "python": str,
    "sensor": dict,
    "functions": dict,
    "statements": dict,
    "entries": list,
    "calls": list,
    "queries": list,
    "per_call": list,
    "dependencies": list,
}
SENSOR = {
    "version": str,
    "mechanism": str,
    "overhead_ns": int,
    "process_cpu_ns": int,
    "budget": float,
    "sampled": int,
    "dropped": dict,
}
DROPPED = {"functions": int, "statements": int, "entries": int, "windows": int, "dependencies": int, "hooks": int}
FUNCTION = {"file": str, "line": int, "end_line": int, "body": str, "kind": str}
ENTRY = {"entry": str, "kind": str, "calls": int, "errors": dict, "status": dict, "wall": dict, "queries": dict}
CALL = {"function": str, "entry": str, "calls": int, "errors": dict, "wall": dict, "own": dict, "callers": dict}
QUERY = {
    "statement": str,
    "function": str,
    "file": str,
    "line": int,
    "entry": str,
    "executions": int,
    "errors": dict,
    "wall": dict,
    "rows": (int, type(None)),
}
PER_CALL = {
    "function": str,
    "statement": str,
    "site": dict,
    "entry": str,
    "calls": int,
    "executions": dict,
    "identical": int,
    "time_ns": int,
    "driver": (dict, type(None)),
}
DEPENDENCY = {
    "kind": str,
    "peer": str,
    "operation": str,
    "function": str,
    "file": str,
    "line": int,
    "entry": str,
    "calls": int,
    "errors": dict,
    "timeouts": int,
    "retries": int,
    "wall": dict,
}
EXEMPLAR = {
    "function": str,
    "entry": str,
    "sample": str,
    "slow": int,
    "wall_ns": int,
    "own_ns": int,
    "facts": dict,
}
CONDITION = {
    "function": str,
    "calls": int,
    "slow_ns": int,
    "slow_calls": int,
    "slow_kept": int,
    "uniform_every": int,
    "uniform_seen": int,
    "uniform_kept": int,
}
OPTIONAL = {"exemplars": list, "conditions": list}
SITE = {"function": str, "file": str, "line": int}
DRIVER = {
    "statement": str,
    "site": dict,
    "n": int,
    "sum_x": int,
    "sum_y": int,
    "sum_xx": int,
    "sum_xy": int,
    "sum_yy": int,
}
KINDS = {"function", "generator", "coroutine", "async_generator"}


def check_window(window: dict[str, Any]) -> None:
    """Fail with the first difference from the format."""
    _keys(window, {**WINDOW, **{key: kind for key, kind in OPTIONAL.items() if key in window}})
    assert window["format"] == 1
    assert window["start_unix_ns"] <= window["end_unix_ns"]
    _keys(window["sensor"], SENSOR)
    _keys(window["sensor"]["dropped"], DROPPED)
    _tables(window)
    for row in window["entries"]:
        _keys(row, ENTRY)
        _histogram(row["wall"], row["calls"])
        _histogram(row["queries"], row["calls"])
    for row in window["calls"]:
        _call(row, window)
    for row in window["queries"]:
        _keys(row, QUERY)
        _histogram(row["wall"], row["executions"])
        assert row["statement"] in window["statements"]
        assert row["function"] in window["functions"]
    for row in window["per_call"]:
        _per_call(row, window)
    for row in window["dependencies"]:
        _keys(row, DEPENDENCY)
        _histogram(row["wall"], row["calls"])
        assert row["function"] in window["functions"]
        assert sum(row["errors"].values()) <= row["calls"]
    for row in window.get("exemplars", ()):
        _exemplar(row, window)
    for row in window.get("conditions", ()):
        _condition(row, window)
    _unique(window.get("conditions", []), "function")
    _unique(window["entries"], "entry")
    _unique(window["dependencies"], "kind", "peer", "operation", "function", "file", "line", "entry")
    _unique(window["calls"], "function", "entry")
    _unique(window["queries"], "statement", "function", "file", "line", "entry")
    _unique(window["per_call"], "function", "statement", "site", "entry")


def _tables(window: dict[str, Any]) -> None:
    for name, function in window["functions"].items():
        _keys(function, FUNCTION)
        assert ":" in name
        assert function["kind"] in KINDS
        assert len(function["body"]) in (0, 16)
        assert not function["file"].startswith("/")
    for identity, statement in window["statements"].items():
        _keys(statement, {"text": str, "system": str})
        assert identity == hashlib.sha256(statement["text"].encode()).hexdigest()[:16]


def _call(row: dict[str, Any], window: dict[str, Any]) -> None:
    _keys(row, {**CALL, "rate": float, "error": dict} if "rate" in row else CALL)
    assert row.get("rate", 2) != 1
    assert row["function"] in window["functions"]
    assert all(caller in window["functions"] for caller in row["callers"] if caller)
    assert sum(row["callers"].values()) == row["calls"]
    _histogram(row["own"], row["calls"])
    _histogram(row["wall"])
    assert row["wall"]["count"] <= row["calls"]


def _per_call(row: dict[str, Any], window: dict[str, Any]) -> None:
    _keys(row, {**PER_CALL, "rate": float, "error": dict} if "rate" in row else PER_CALL)
    assert set(row.get("error", ())) <= {"calls", "executions"}
    _keys(row["site"], SITE)
    _histogram(row["executions"], row["calls"])
    assert row["identical"] <= row["executions"]["sum"]
    assert row["function"] in window["functions"]
    if row["driver"] is not None:
        _keys(row["driver"], DRIVER)
        _keys(row["driver"]["site"], SITE)
        assert row["driver"]["statement"] in window["statements"]
        assert row["driver"]["n"] <= row["calls"]


def _exemplar(row: dict[str, Any], window: dict[str, Any]) -> None:
    assert isinstance(row["slow"], bool)
    _keys({**row, "slow": int(row["slow"])}, {**EXEMPLAR, "rate": float} if "rate" in row else EXEMPLAR)
    assert row["function"] in window["functions"]
    assert row["sample"] in ("uniform", "slow")
    assert row["slow"] or row["sample"] == "uniform"
    assert all(isinstance(fact, (str, int)) for fact in row["facts"].values())
    assert all(len(key) <= 120 and len(str(fact)) <= 100 for key, fact in row["facts"].items())


def _condition(row: dict[str, Any], window: dict[str, Any]) -> None:
    assert row.get("hurried", True) is True
    plain = {key: value for key, value in row.items() if key != "hurried"}
    _keys(plain, {**CONDITION, "rate": float} if "rate" in row else CONDITION)
    assert row["function"] in window["functions"]
    assert row["slow_calls"] <= row["calls"]
    assert row["uniform_kept"] <= row["uniform_seen"]


def _histogram(shape: dict[str, Any], count: int | None = None) -> None:
    keys = dict.fromkeys(("scale", "count", "sum", "zero", "offset"), int)
    extremes = dict.fromkeys(("min", "max"), int) if shape["count"] else {}
    _keys(shape, {**keys, **extremes, "counts": list})
    assert shape["scale"] == 3
    assert shape["zero"] + sum(shape["counts"]) == shape["count"]
    assert count is None or shape["count"] == count
    assert not shape["counts"] or (shape["counts"][0] and shape["counts"][-1])


def _keys(shape: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(shape) == set(expected)
    for key, kind in expected.items():
        assert isinstance(shape[key], kind), (key, shape[key])
        assert not isinstance(shape[key], bool), key


def _unique(rows: list[dict[str, Any]], *names: str) -> None:
    keys = [str([row[name] for name in names]) for row in rows]
    assert len(keys) == len(set(keys))
