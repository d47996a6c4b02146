from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from evals.bench.sensor import instructions
from evals.bench.sensor.errors import BenchError
from evals.bench.sensor.instructions import Counted, compiled, counts_in, ratio


def dump(folder: Path, name: str, trigger: str, total: int) -> None:
    folder.joinpath(name).write_text(f"version: 1\ndesc: Trigger: {trigger}\nfn=(1) f\n0 {total}\ntotals: {total}\n")


def test_counts_are_told_apart_by_mark_and_thread(tmp_path: Path) -> None:
    dump(tmp_path, "callgrind.out.1-01", "Client Request: requests 0", 100)
    dump(tmp_path, "callgrind.out.2-01", "Client Request: window", 30)
    dump(tmp_path, "callgrind.out-01", "Program termination", 7)
    dump(tmp_path, "callgrind.out-02", "Program termination", 5)
    dump(tmp_path, "callgrind.out-03", "Program termination", 6)
    (tmp_path / "callgrind.out").touch()
    assert counts_in(tmp_path) == ({"requests 0": 100, "window": 30}, 11)


def test_the_ratio_is_that_of_sums_and_its_interval_that_of_blocks() -> None:
    plain, sensor = Counted([100, 300], 0, 0, 1.0), Counted([110, 306], 8, 0, 1.0)
    alone = ratio(plain, sensor, whole=False, rng=random.Random(1))
    assert alone.value == pytest.approx(416 / 400)
    assert alone.low == pytest.approx(1.02)
    assert alone.high == pytest.approx(1.10)
    assert ratio(plain, sensor, whole=True, rng=random.Random(1)).value == pytest.approx(424 / 400)


def test_what_is_missing_is_said_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="install the package valgrind"):
        compiled(tmp_path)
    assert instructions.main(["--services", "none"]) == 2
    assert "--services none: there are shop, ledger" in capsys.readouterr().err


@pytest.mark.skipif(not (shutil.which("valgrind") and shutil.which("cc")), reason="valgrind or a compiler is missing")
def test_the_library_that_slows_clocks_down_compiles(tmp_path: Path) -> None:
    assert compiled(tmp_path).stat().st_size > 0
