"""A generated project: packages of modules with functions of mixed sizes, the same for the same seed."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

MODULES_PER_PACKAGE = 50


def project(root: Path, modules: int, functions: int, seed: int) -> list[str]:
    """Write `modules` modules with `functions` functions each, compiled; their names, in the order of import."""
    rng = random.Random(seed)
    names = []
    for number in range(modules):
        package = root / f"package_{number // MODULES_PER_PACKAGE:03}"
        if not package.exists():
            package.mkdir(parents=True)
            (package / "__init__.py").touch()
        (package / f"module_{number:04}.py").write_text(_module(functions, rng), encoding="utf-8")
        names.append(f"{package.name}.module_{number:04}")
    return names


def compiled(root: Path, python: Path) -> None:
    """Warm `__pycache__` of a Python version: what a deployed project has."""
    subprocess.run([python, "-m", "compileall", "-q", root], check=True, stdout=subprocess.DEVNULL, timeout=600)


def _module(functions: int, rng: random.Random) -> str:
    parts = ['"""Generated."""\n\nimport os\n']
    while functions > 0:
        if rng.random() < 0.3 and functions >= 4:
            methods = rng.randint(2, 4)
            body = "\n".join(_function(f"method_{functions}_{n}", rng, "    ") for n in range(methods))
            parts.append(f"class Class_{functions}:\n{body}")
            functions -= methods
        else:
            parts.append(_function(f"function_{functions}", rng, ""))
            functions -= 1
    return "\n\n".join(parts) + "\n"


def _function(name: str, rng: random.Random, indent: str) -> str:
    """A function of 3 to about 40 lines; most are short."""
    lines = [f"def {name}({'self=None, ' if indent else ''}value=1):", '    """Says what it does."""']
    for _ in range(min(12, 1 + int(rng.expovariate(0.25)))):
        lines += rng.choice(_BLOCKS)
    lines.append("    return value")
    return "\n".join(indent + line for line in lines)


_BLOCKS = (
    ["    if value < 0:", "        raise ValueError(f'{value} is below 0')"],
    ["    for index in range(2):", "        value += index"],
    ["    names = [str(part) for part in (value, 'a', 'b') if part]", "    value += len(names)"],
    ["    try:", "        value = int(value)", "    except (TypeError, ValueError):", "        value = 0"],
    ["    found = {'value': value, 'name': os.sep}", "    value = found['value']"],
    ["    value = value * 3 + 1 if value % 2 else value // 2"],
)
