"""How the service of a tree is started: by Django's settings, or as an application `module:attribute`."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from burnish.settings import ServiceSettings

SETTINGS_IN_MANAGE = re.compile(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]")
APPLICATION_FILES = ("main.py", "app.py", "application.py", "asgi.py", "wsgi.py", "__init__.py")
"""Where applications are looked for: in the root and one folder below it, as `fastapi run` and `flask run` do."""
FRAMEWORKS = {"FastAPI": "asgi", "Starlette": "asgi", "Litestar": "asgi", "Quart": "asgi", "Flask": "wsgi"}
MAX_FILE_BYTES = 500_000
NOT_SERVED = ("test", "tests", "docs", "examples", "migrations", "node_modules")


class Unknown(Exception):
    """It cannot be told how the service is started; the message says what to set."""


@dataclass(frozen=True)
class Started:
    """What the harness is told of it."""

    framework: str
    """django, asgi, wsgi, app (asgi or wsgi, as will be seen) or none."""
    settings: str = ""
    """DJANGO_SETTINGS_MODULE"""
    app: str = ""
    """`module:attribute` or `module:factory()`"""

    def told(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def started(settings: ServiceSettings, root: Path) -> Started:
    """As configured, else as the tree at `root` says. Raises Unknown."""
    framework = settings.framework
    if framework == "none":
        return Started("none")
    if framework == "django" or (framework == "auto" and _is_django(settings, root)):
        return Started("django", settings=settings.settings_module or _settings_in_manage(root))
    if settings.app:
        return Started("app" if framework == "auto" else framework, app=_checked(settings.app))
    return _only_one(sorted(set(_applications(root))), framework)


def _is_django(settings: ServiceSettings, root: Path) -> bool:
    return bool(settings.settings_module) or (not settings.app and (root / "manage.py").is_file())


def _settings_in_manage(root: Path) -> str:
    manage = root / "manage.py"
    named = SETTINGS_IN_MANAGE.search(manage.read_text("utf-8")) if manage.is_file() else None
    if named is None:
        raise Unknown("No DJANGO_SETTINGS_MODULE in manage.py; set [service] settings_module.")
    return named[1]


def _checked(app: str) -> str:
    if not re.fullmatch(r"[\w.]+:[\w.]+(\(\))?", app):
        raise Unknown(f"[service] app is {app!r}; write module:attribute, or module:factory() for a factory.")
    return app


def _only_one(found: list[tuple[str, str]], framework: str) -> Started:
    fitting = [(kind, app) for kind, app in found if framework in ("auto", kind)]
    if len(fitting) == 1:
        return Started(*fitting[0][:1], app=fitting[0][1])
    if fitting:
        names = ", ".join(app for _, app in fitting)
        raise Unknown(f"There are several applications ({names}); set [service] app.")
    looked = "manage.py, or FastAPI(), Starlette() or Flask() in " + ", ".join(APPLICATION_FILES[:-1])
    raise Unknown(f"It could not be told how the service is started ({looked}); set [service] app or framework.")


def _applications(root: Path) -> Iterator[tuple[str, str]]:
    """(asgi or wsgi, name) of each application that is made in a likely file."""
    for file in itertools.chain(*(root.glob(place + name) for place in ("", "*/") for name in APPLICATION_FILES)):
        relative = PurePosixPath(file.relative_to(root).as_posix())
        if relative.parts[0] in NOT_SERVED or file.stat().st_size > MAX_FILE_BYTES or file.is_symlink():
            continue
        module = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for kind, attribute in _made_in(tree):
            yield kind, f"{module}:{attribute}"


def _made_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names at the top of a module that are an application; where there is none, factories."""
    factories = {f.name: kind for f in tree.body if isinstance(f, ast.FunctionDef) and (kind := _factory(f))}
    assigned = [
        (kind, target.id)
        for statement in tree.body
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and (kind := _made(statement.value, factories))
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    ]
    yield from assigned or [(kind, f"{name}()") for name, kind in factories.items()]


def _factory(function: ast.FunctionDef) -> str | None:
    """A function that can be called without arguments and makes an application."""
    arguments = function.args
    required = len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)
    if required or None in arguments.kw_defaults:
        return None
    returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    names = {value.id for value in returns if isinstance(value, ast.Name)}
    assigned = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
    ]
    return next((kind for value in [*returns, *assigned] if (kind := _made(value, {}))), None)


def _made(value: ast.expr | None, factories: dict[str, str]) -> str | None:
    """asgi or wsgi, for `FastAPI(…)`, `flask.Flask(…)` or a call of a factory."""
    if not isinstance(value, ast.Call):
        return None
    called = value.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return FRAMEWORKS.get(name) or factories.get(name)
