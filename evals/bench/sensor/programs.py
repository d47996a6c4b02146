"""The CPU-bound programs: pyperformance's scripts, copied out of the installed package into a scratch directory.

The copy's folder is the application (BURNISH_ROOT), and so is a copy of the library that a script is about, so that
all their functions are observed. A stand-in for pyperf's runner is not needed: `setup` and `work` call the script's own
workload functions. One `work` takes between 1 ms and 1 s.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import BenchError


@dataclass(frozen=True)
class Program:
    """A script. `setup` is executed and `work` evaluated in its namespace; `libraries` are observed with it,
    and installed by `requirement`."""

    name: str
    work: str
    setup: str = ""
    libraries: tuple[str, ...] = ()
    requirement: str = ""


_LOGGING = """
_stream = io.StringIO()
_logger = logging.getLogger("benchlogger")
_logger.propagate = False
_logger.addHandler(logging.StreamHandler(stream=_stream))
_logger.setLevel(logging.WARNING)
"""
_CHAOS = """
_game = Chaosgame([
    Spline([GVector(1.60, 3.30, 0.0), GVector(1.58, 4.12, 0.0), GVector(1.31, 5.29, 0.0), GVector(1.62, 5.33, 0.0),
            GVector(2.89, 5.50, 0.0), GVector(2.37, 4.38, 0.0), GVector(1.66, 4.36, 0.0)],
           3, [0, 0, 0, 1, 1, 1, 2, 2, 2]),
    Spline([GVector(2.80, 4.02, 0.0), GVector(2.55, 3.53, 0.0), GVector(1.98, 2.62, 0.0), GVector(1.98, 2.62, 0.0)],
           3, [0, 0, 0, 1, 1, 1]),
], DEFAULT_THICKNESS)
"""
_TEMPLATE = """
import django
django.conf.settings.configure(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
_template = Template(
    "<table>{% for row in table %}<tr>{% for cell in row %}<td>{{ cell|escape }}</td>{% endfor %}</tr>{% endfor %}"
)
_context = Context({"table": [range(50) for _ in range(50)]})
"""
PROGRAMS = (
    Program("richards", "lambda: Richards().run(1)"),
    Program("deltablue", "lambda: delta_blue(100)"),
    Program("chaos", "lambda: _game.create_image_chaos(64, 64, 3000, None, 1234)", _CHAOS),
    Program("go", "versus_cpu"),
    Program("raytrace", "lambda: bench_raytrace(1, 50, 50, None)"),
    Program("nbody", "lambda: bench_nbody(1, DEFAULT_REFERENCE, 4000)"),
    Program("hexiom", "lambda: main(1, 2)"),
    Program(
        "pyflate", "lambda: bench_pyflake(1, os.path.join(os.path.dirname(__file__), 'data', 'interpreter.tar.bz2'))"
    ),
    Program("scimark", "lambda: (bench_SOR(1, 50, 2, Array2D), bench_LU(1, 30), bench_FFT(1, 256, 2))"),
    Program("generators", "lambda: [None for _ in range(3) for _ in _tree]", "_tree = tree(range(20_000))"),
    Program(
        "json_dumps",
        "lambda: bench_json_dumps([(case[0], range(case[1] // 4 or 1)) for case in (EMPTY, SIMPLE, NESTED, HUGE)])",
        libraries=("json",),
    ),
    Program("logging", "lambda: bench_formatted_output(100, _logger, _stream)", _LOGGING, ("logging",)),
    Program("django_template", "lambda: _template.render(_context)", _TEMPLATE, ("django",), "django>=5.2,<5.3"),
    Program(
        "sqlalchemy_declarative",
        "lambda: bench_sqlalchemy(1, 15)",
        libraries=("sqlalchemy",),
        requirement="sqlalchemy>=2.0,<2.1",
    ),
)


def chosen(names: Sequence[str]) -> list[Program]:
    """The programs of these names, all without names. Raises BenchError."""
    known = {program.name: program for program in PROGRAMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"--programs {unknown[0]}: there are {', '.join(known)}")
    return [known[name] for name in names] or list(PROGRAMS)


def prepare(program: Program, environment: Environment, scratch: Path) -> Path:
    """The program's copy, and that of its libraries: the root to be observed."""
    root = scratch / environment.version / program.name
    benchmarks = _folder_of("pyperformance", environment) / "data-files" / "benchmarks"
    ignored = shutil.ignore_patterns("__pycache__", "*.mo", "*.po")
    shutil.copytree(benchmarks / f"bm_{program.name}", root, ignore=ignored)
    for library in program.libraries:
        shutil.copytree(_folder_of(library, environment), root / library, ignore=ignored)
    return root


def _folder_of(package: str, environment: Environment) -> Path:
    code = f"import importlib.util as u; print(u.find_spec({package!r}).submodule_search_locations[0])"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BenchError(f"{package} is not in {environment.python.parent.parent}: remove that folder and run again")
    return Path(done.stdout.strip())
