from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import pytest

from burnish_tools.collector.answers import Rejected
from burnish_tools.collector.body import Incoming, encoding, inflated
from burnish_tools.collector.queue import Budget

TEXT = b"a line of a window\n" * 5000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:19]) + gzip.compress(b"") + gzip.compress(TEXT[19:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 512),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
def test_every_encoding_is_undone(how: str, sent: bytes) -> None:
    assert inflated(sent, how, len(TEXT)) == TEXT


@pytest.mark.parametrize("how", ["gzip", "deflate"])
def test_what_is_larger_when_inflated_is_413(how: str) -> None:
    sent = gzip.compress(TEXT) if how == "gzip" else zlib.compress(TEXT)
    with pytest.raises(Rejected) as refused:
        inflated(sent, how, len(TEXT) - 1)
    assert refused.value.status == 413


@pytest.mark.parametrize("how", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "broken",
    [b"", b"\x1f", b"plain text", gzip.compress(TEXT)[:-9], zlib.compress(TEXT)[:-2], gzip.compress(TEXT) + b"tail"],
)
def test_what_is_broken_is_400(how: str, broken: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        inflated(broken, how, 10**6)
    assert refused.value.status == 400


@pytest.mark.parametrize("members", [1, 3])
def test_a_bomb_never_gets_big(members: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    bomb = b"".join([*(packer.compress(b"\0" * 10**6) for _ in range(500)), packer.flush()]) * members
    tracemalloc.start()
    try:
        with pytest.raises(Rejected):
            inflated(bomb, "gzip", 4_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_very_many_members_are_refused() -> None:
    with pytest.raises(Rejected, match="members"):
        inflated(gzip.compress(b"") * 100_000, "gzip", 10**6)


@pytest.mark.parametrize("header", ["br", "gzip, gzip", "zstd"])
def test_other_encodings_are_415(header: str) -> None:
    with pytest.raises(Rejected) as refused:
        encoding(header)
    assert refused.value.status == 415


def test_encodings_by_their_names() -> None:
    assert [encoding(h) for h in ("", "identity", " GZip ", "x-gzip", "deflate")] == [
        *["identity"] * 2,
        *["gzip"] * 2,
        "deflate",
    ]


def incoming(*pieces: bytes) -> Incoming:
    waiting = list(pieces)

    async def receive() -> dict[str, object]:
        if not waiting:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": True}

    return Incoming(receive)


@pytest.mark.parametrize(
    ("limit", "room", "status"),
    [(10**6, 10**6, 408), (15, 10**6, 413), (10**6, 15, 429)],
)
def test_a_body_that_is_too_slow_too_large_or_one_too_many(limit: int, room: int, status: int) -> None:
    budget, held = Budget(room), list[int]()
    with pytest.raises(Rejected) as refused:
        asyncio.run(incoming(b"0123456789", b"0123456789").read(budget, limit, 0.05, held.append))
    assert refused.value.status == status
    assert budget.used == sum(held)
