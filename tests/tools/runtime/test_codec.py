"""The rows of a window as bytes: what goes in comes out, before and after they were added up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from burnish_tools.runtime.bounded import Distribution
from burnish_tools.runtime.limits import AMOUNT, BUCKETS, COUNT, INDEX
from burnish_tools.runtime.sqlite.codec import decoded, looked, settled, waiting
from burnish_tools.runtime.sqlite.rows import CALL_ROWS, TABLES, Columns, Detail, Flat

COUNTS = st.integers(0, COUNT)
AMOUNTS = st.one_of(st.integers(0, AMOUNT), st.floats(0, float(AMOUNT), allow_nan=False))
ENDS = st.one_of(st.none(), AMOUNTS)
HISTOGRAMS = st.builds(
    Distribution,
    scale=st.integers(-10, 3),
    count=COUNTS,
    sum=AMOUNTS,
    min=ENDS,
    max=ENDS,
    zero=COUNTS,
    offset=st.integers(-INDEX, INDEX),
    counts=st.lists(COUNTS, max_size=min(20, BUCKETS)).map(tuple),
)
COUNTERS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), COUNTS, max_size=3)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 2**40),
        st.integers(1, 5),
        COUNTS,
        AMOUNTS,
        AMOUNTS,
        AMOUNTS,
        AMOUNTS.map(lambda x: x * x),
        AMOUNTS.map(lambda x: x * x),
        COUNTERS,
        COUNTERS,
        HISTOGRAMS,
        HISTOGRAMS,
    ),
    max_size=5,
)


def detail(rows: list[tuple[object, ...]]) -> Detail:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 12
    calls = Columns(columns[:2], columns[2:8], columns[8:10], columns[10:])
    return {table.name: Columns([[]] * len(table.keys)) for table in TABLES} | {CALL_ROWS.name: calls}


def flat(row: tuple[object, ...]) -> Flat:
    sent = [
        (h.scale, h.count, h.sum, -1 if h.min is None else h.min, -1 if h.max is None else h.max, h.zero, h.offset,
         list(h.counts))
        for h in row[10:] if isinstance(h, Distribution)
    ]  # fmt: skip
    return row[:2], tuple(row[2:8]), tuple(row[8:10]), tuple(sent)  # type: ignore[return-value]


def read(blob: bytes) -> list[Flat]:
    rows = {table.name: rows for table, rows in decoded(blob)}
    return [(*row[:3], tuple((*h[:7], list(h[7])) for h in row[3])) for row in rows[CALL_ROWS.name]]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(rows=ROWS, noted=st.binary(max_size=20))
def test_what_is_kept_of_a_window_is_what_it_said(rows: list[tuple[object, ...]], noted: bytes) -> None:
    blob = waiting(detail(rows), noted)
    assert looked(blob) == noted
    assert looked(settled(blob)) == b""
    assert settled(settled(blob)) == settled(blob)
    for form in (blob, settled(blob)):
        assert repr_of(read(form)) == repr_of([flat(row) for row in rows])


def repr_of(rows: list[Flat]) -> list[list[object]]:
    """Numbers beyond 64 bits, which only squares are, are kept as floats; and whole floats as whole numbers."""
    return [
        [row[0], [float(n) for n in row[1]], row[2], [[float(n) for n in h[:7]] + [h[7]] for h in row[3]]]
        for row in rows
    ]
