"""Windows for tests, in a few words: lines of the sensor's format (`docs/format.md`), valid down to the hashes.

    window(release="a", calls={"shop.views:orders": 100})

    window(
        calls=[calls("shop.views:orders", 100, wall_ms=40, own_ms=10, entry="GET orders/")],
        queries=[query("SELECT … WHERE id = ?", at="shop.models:Order.total:31", times=2000, ms=0.4, rows=2000)],
        per_call=[
            per_call("shop.views:orders", "SELECT … WHERE id = ?", at="shop.models:Order.total:31",
                     executions=[20] * 100, driver=driver("SELECT …", at="shop.views:orders:12", rows=[20] * 100)),
        ],
    )

Places are written `module:function:line`; the file is the module's. A function `<otel>:NAME` is a span. Times
are milliseconds here and nanoseconds there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.histogram import Histogram

Json = dict[str, Any]
ENTRY = "GET /"
MINUTE = 60.0


def window(
    *,
    calls: Mapping[str, int] | Sequence[Json] = (),
    entries: Sequence[Json] | None = None,
    queries: Sequence[Json] = (),
    per_call: Sequence[Json] = (),
    release: str = "a",
    service: str = "shop",
    environment: str = "production",
    instance: str = "one",
    sequence: int = 0,
    start: float = 0.0,
    seconds: float = MINUTE,
    system: str = "sqlite",
    bodies: Mapping[str, str] | None = None,
    dropped: Mapping[str, int] | None = None,
    dependencies: Sequence[Json] = (),
    exemplars: Sequence[Json] = (),
    conditions: Sequence[Json] = (),
    format: int = 1,
) -> str:
    """One line. `start` is in seconds since 1970 + `sequence` × `seconds`; `calls` may be counts by function.

    Entries that are not given are derived from the functions that have no caller.
    """
    rows = [_plain(row) for row in (calls if not isinstance(calls, Mapping) else _counted(calls))]
    begin = round((start + sequence * seconds) * 1e9)
    body: Json = {
        "format": format,
        "service": service,
        "environment": environment,
        "release": release,
        "instance": instance,
        "sequence": sequence,
        "start_unix_ns": begin,
        "end_unix_ns": begin + round(seconds * 1e9),
        "python": "3.11.7",
        "sensor": {
            "version": "0",
            "mechanism": "test",
            "overhead_ns": 0,
            "process_cpu_ns": 0,
            "dropped": {"functions": 0, "statements": 0, "entries": 0, "windows": 0, **(dropped or {})},
        },
        "functions": _functions([*rows, *queries, *per_call, *dependencies], bodies or {}),
        "statements": _statements([*queries, *per_call], system),
        "entries": list(entries) if entries is not None else _entries(rows),
        "calls": rows,
        "queries": [_plain(row) for row in queries],
        "per_call": [_plain(row) for row in per_call],
        "dependencies": list(dependencies),
        "exemplars": list(exemplars),
        "conditions": list(conditions),
    }
    return json.dumps(body, separators=(",", ":")) + "\n"


def entry(name: str = ENTRY, n: int = 1, *, wall_ms: float = 10, queries: float = 0, kind: str = "http") -> Json:
    """An entry row of `n` equal calls."""
    return {
        "entry": name,
        "kind": kind,
        "calls": n,
        "errors": {},
        "status": {"200": n},
        "wall": histogram([wall_ms * 1e6] * n),
        "queries": histogram([queries] * n),
    }


def calls(
    function: str,
    n: int = 1,
    *,
    wall_ms: float | Sequence[float] = 10,
    own_ms: float | Sequence[float] | None = None,
    entry: str = ENTRY,
    caller: str = "",
    errors: Mapping[str, int] | None = None,
    file: str | None = None,
    error: Mapping[str, float] | None = None,
    rate: float = 10,
) -> Json:
    """A call row; `own_ms` defaults to all of `wall_ms`. A sequence gives the calls one by one.

    With an `error` (`calls`, `wall` in ns) its calls were sampled, one in `rate`.
    """
    wall = _each(wall_ms, n)
    sampled = {"rate": rate, "error": dict(error)} if error else {}
    return {
        **sampled,
        "function": function,
        "entry": entry,
        "calls": n,
        "errors": dict(errors or {}),
        "wall": histogram(wall),
        "own": histogram(wall if own_ms is None else _each(own_ms, n)),
        "callers": {caller: n},
        "_file": file,
    }


def query(
    statement: str,
    *,
    at: str,
    times: int = 1,
    ms: float | Sequence[float] = 1,
    rows: int | None = None,
    entry: str = ENTRY,
) -> Json:
    """A query row: `times` executions of `ms` each, which fetched `rows` rows in all."""
    site = _site(at)
    return {
        "statement": statement_id(statement),
        **site,
        "entry": entry,
        "executions": times,
        "errors": {},
        "wall": histogram(_each(ms, times)),
        "rows": rows,
        "_texts": [statement],
    }


def per_call(
    function: str,
    statement: str,
    *,
    at: str,
    executions: Sequence[int],
    identical: int = 0,
    ms: float = 1,
    entry: str = ENTRY,
    driver: Json | None = None,
) -> Json:
    """A statements-per-call row: `executions` call by call, each of `ms`."""
    row: Json = {
        "function": function,
        "statement": statement_id(statement),
        "site": _site(at),
        "entry": entry,
        "calls": len(executions),
        "executions": histogram(executions),
        "identical": identical,
        "time_ns": round(sum(executions) * ms * 1e6),
        "driver": None,
        "_texts": [statement],
    }
    if driver is not None:
        pairs = [(x, y) for x, y in zip(driver["_rows"], executions, strict=True) if y >= 2]
        row["driver"] = {**_plain(driver), **_sums(pairs)}
        row["_texts"] += driver["_texts"]
    return row


def dependency(
    peer: str,
    *,
    at: str,
    n: int = 1,
    ms: float | Sequence[float] = 1,
    kind: str = "http",
    operation: str = "GET",
    errors: Mapping[str, int] | None = None,
    timeouts: int = 0,
    retries: int = 0,
    entry: str = ENTRY,
) -> Json:
    """A dependency row: `n` calls of another service."""
    return {
        "kind": kind,
        "peer": peer,
        "operation": operation,
        **_site(at),
        "entry": entry,
        "calls": n,
        "errors": dict(errors or {}),
        "timeouts": timeouts,
        "retries": retries,
        "wall": histogram(_each(ms, n)),
    }


def exemplar(
    function: str, *, wall_ms: float, slow: bool = False, facts: Mapping[str, Any] | None = None, entry: str = ENTRY
) -> Json:
    """A call that was looked at; a slow one is of the sample of slow calls."""
    return {
        "function": function,
        "entry": entry,
        "sample": "slow" if slow else "uniform",
        "slow": slow,
        "wall_ns": round(wall_ms * 1e6),
        "own_ns": round(wall_ms * 1e6),
        "facts": dict(facts or {}),
    }


def condition(function: str, calls: int, *, slow_calls: int = 0, slow_ms: float = 100) -> Json:
    """The counts beside the exemplars of a function."""
    return {
        "function": function,
        "calls": calls,
        "slow_ns": round(slow_ms * 1e6),
        "slow_calls": slow_calls,
        "slow_kept": min(slow_calls, 8),
        "uniform_every": 10,
        "uniform_seen": calls // 10,
        "uniform_kept": min(calls // 10, 8),
    }


def driver(statement: str, *, at: str, rows: Sequence[int]) -> Json:
    """The statement that drove the repetition, with the rows that it returned call by call."""
    return {"statement": statement_id(statement), "site": _site(at), "_rows": list(rows), "_texts": [statement]}


def statement_id(statement: str) -> str:
    """As the sensor makes it."""
    return hashlib.sha256(statement.encode()).hexdigest()[:16]


def histogram(values: Sequence[float]) -> Json:
    """Values in the format's shape; whole numbers as such, as the sensor sends them."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in Histogram.of(values).model_dump(exclude_none=True, mode="json").items()
    }


def write(directory: Path, *lines: str) -> Path:
    """Appends windows to the files of their instances, as sensors do; returns the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for line in lines:
        with (directory / f"{json.loads(line)['instance']}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
    return directory


def _counted(numbers: Mapping[str, int]) -> list[Json]:
    return [calls(function, n) for function, n in numbers.items()]


def _each(value: float | Sequence[float], n: int) -> list[float]:
    each = [value] * n if isinstance(value, (int, float)) else list(value)
    if len(each) != n:
        raise ValueError(f"{len(each)} times for {n} calls")
    return [ms * 1e6 for ms in each]


def _site(place: str) -> Json:
    function, _, line = place.rpartition(":")
    return {"function": function, "file": _file(function), "line": int(line)}


def _file(function: str) -> str:
    return function.partition(":")[0].replace(".", "/") + ".py"


def _plain(row: Json) -> Json:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _functions(rows: Sequence[Json], bodies: Mapping[str, str]) -> Json:
    files = {row["function"]: row.get("_file") for row in rows}
    for row in rows:
        for site in (row.get("site"), (row.get("driver") or {}).get("site")):
            if site:
                files.setdefault(site["function"], None)
    return {name: _code(name, file, bodies) for name, file in sorted(files.items())}


def _code(name: str, file: str | None, bodies: Mapping[str, str]) -> Json:
    if name.startswith("<otel>:"):
        return {"file": "", "line": 0, "end_line": 0, "body": "", "kind": "span"}
    return {
        "file": file or _file(name),
        "line": 10,
        "end_line": 20,
        "body": bodies.get(name) or hashlib.sha256(name.encode()).hexdigest()[:16],
        "kind": "function",
    }


def _statements(rows: Sequence[Json], system: str) -> Json:
    texts = sorted({text for row in rows for text in row["_texts"]})
    return {statement_id(text): {"text": text, "system": system} for text in texts}


def _entries(rows: Sequence[Json]) -> list[Json]:
    numbers: dict[str, list[float]] = {}
    for row in rows:
        if "" in row["callers"]:
            total = numbers.setdefault(row["entry"], [0, 0.0])
            total[0] += row["calls"]
            total[1] += row["wall"]["sum"]
    return [entry(name, int(n), wall_ms=wall / n / 1e6) for name, (n, wall) in numbers.items() if n]


def _sums(pairs: Sequence[tuple[float, float]]) -> Json:
    return {
        "n": len(pairs),
        "sum_x": sum(x for x, _ in pairs),
        "sum_y": sum(y for _, y in pairs),
        "sum_xx": sum(x * x for x, _ in pairs),
        "sum_xy": sum(x * y for x, y in pairs),
        "sum_yy": sum(y * y for _, y in pairs),
    }
