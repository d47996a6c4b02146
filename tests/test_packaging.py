"""The wheels work where a user installs them: in a directory with `tools/` and `config/` of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_wheels_run_from_a_foreign_directory(tmp_path: Path) -> None:
    wheels, site, foreign = tmp_path / "wheels", tmp_path / "site", tmp_path / "foreign"
    for name in ("tools", "config", "prompts"):
        (foreign / name).mkdir(parents=True)
        (foreign / name / "__init__.py").write_text("raise ImportError('the foreign one')\n", encoding="utf-8")
    for source in (ROOT, ROOT / "sensor"):
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(wheels), str(source), cwd=tmp_path)
    names = sorted(path.name for path in wheels.glob("*.whl"))
    assert [name.split("-")[0] for name in names] == ["burnish", "burnish_sensor"]
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site))
    run(*pip, *(str(path) for path in wheels.glob("*.whl")), cwd=tmp_path)
    # -S keeps the editable install out; the dependencies come from the environment, Burnish from the wheel
    paths = os.pathsep.join([str(site), sysconfig.get_path("purelib")])
    python = (sys.executable, "-S", "-c")
    where = "import burnish, burnish_tools; print(burnish.__file__); print(burnish_tools.__file__)"
    assert all(line.startswith(str(site)) for line in run(*python, where, cwd=foreign, PYTHONPATH=paths).splitlines())
    version = run(sys.executable, "-S", "-m", "burnish", "--version", cwd=foreign, PYTHONPATH=paths)
    assert version.startswith("burnish ")
    listing = "sorted(p.name for n in ('prompts', 'config') for p in data_dir(n).iterdir())"
    data = f"from burnish._files import data_dir; print({listing})"
    shipped = run(*python, data, cwd=foreign, PYTHONPATH=paths)
    assert "burnish.toml" in shipped
    assert ".md" in shipped
    sensor = run(sys.executable, "-S", "-m", "burnish_sensor", "--help", cwd=foreign, PYTHONPATH=str(site))
    assert "burnish_sensor" in sensor
