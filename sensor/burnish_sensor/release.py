"""What runs here, found without being told: the release, the environment and the name of the service.

The release is a git commit wherever one can be found, because a commit is what an optimizer can check out. That a work
tree holds changes that were not committed cannot be told cheaply: such a tree goes by its last commit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

UNKNOWN = "unknown"

#: what platforms and build systems call the commit
COMMIT_VARIABLES = (
    "GIT_COMMIT",  # Jenkins
    "SOURCE_VERSION",  # Heroku's build, DigitalOcean
    "HEROKU_BUILD_COMMIT",
    "HEROKU_SLUG_COMMIT",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "VERCEL_GIT_COMMIT_SHA",
    "KOYEB_GIT_SHA",
    "DD_GIT_COMMIT_SHA",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "CI_COMMIT_SHA",  # GitLab
    "GITHUB_SHA",
    "CIRCLE_SHA1",
    "BITBUCKET_COMMIT",
    "GIT_REV",  # Dokku
    "GIT_SHA",
    "COMMIT_SHA",
)
#: names that are told to other tools, or numbers that platforms give to a deployment
VERSION_VARIABLES = (
    "DD_VERSION",
    "OTEL_SERVICE_VERSION",
    "SENTRY_RELEASE",
    "HEROKU_RELEASE_VERSION",
    "K_REVISION",  # Cloud Run
    "GAE_VERSION",
    "FLY_IMAGE_REF",
    "FLY_MACHINE_VERSION",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "WEBSITE_DEPLOYMENT_ID",  # Azure
)
ENVIRONMENT_VARIABLES = ("DD_ENV", "SENTRY_ENVIRONMENT", "DJANGO_ENV", "FLASK_ENV", "APP_ENV", "ENVIRONMENT")
COMMIT_FILES = ("REVISION", ".git-commit")
VERSION_FILES = ("VERSION",)

_NOTHING = frozenset({"$LATEST", UNKNOWN})  # a Lambda function without versions
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?\Z")
_STRING = re.compile(r"""\s*(name|version)\s*=\s*(?:"([^"\\]+)"|'([^']+)')\s*(?:#.*)?\Z""")
_LONGEST = 200


def find_release(environ: Mapping[str, str], root: str) -> str:
    """``BURNISH_RELEASE``, else the commit, else a version, else ``unknown``.

    The commit: a variable of the platform, the ``.git`` above ``root``, a ``REVISION`` or ``.git-commit`` file in it.
    The version: a variable of the platform or of another tool, a ``VERSION`` file, that of the project's package.
    """
    candidates = _candidates(environ, root)
    return next((found for found in candidates if found and found not in _NOTHING), UNKNOWN)


def _candidates(environ: Mapping[str, str], root: str) -> Iterator[str]:
    yield _value(environ, "BURNISH_RELEASE")
    for name in COMMIT_VARIABLES:
        yield _value(environ, name)
    versions = [_value(environ, name) for name in VERSION_VARIABLES]
    versions.insert(2, resource_attributes(environ).get("service.version", ""))
    yield from (version for version in versions if _FULL_COMMIT.match(version))
    yield _git_commit(root)
    for name in COMMIT_FILES:
        yield _one_word(os.path.join(root, name))
    yield from versions
    for name in VERSION_FILES:
        yield _one_word(os.path.join(root, name))
    yield _package_version(root)


def find_environment(environ: Mapping[str, str]) -> str:
    """``BURNISH_ENVIRONMENT``, else what OpenTelemetry, other tools or the framework are told, else ``production``."""
    attributes = resource_attributes(environ)
    found = [_value(environ, "BURNISH_ENVIRONMENT")]
    found += [attributes.get(name, "") for name in ("deployment.environment.name", "deployment.environment")]
    found += [_value(environ, name) for name in ENVIRONMENT_VARIABLES]
    return next(filter(None, found), "production")


def find_service(environ: Mapping[str, str], root: str) -> str:
    """``BURNISH_SERVICE``, else what OpenTelemetry or Datadog are told, else the name of the root's folder."""
    found = [_value(environ, name) for name in ("BURNISH_SERVICE", "OTEL_SERVICE_NAME")]
    found += [resource_attributes(environ).get("service.name", ""), _value(environ, "DD_SERVICE")]
    return next(filter(None, found), "") or os.path.basename(root) or "service"


def resource_attributes(environ: Mapping[str, str]) -> dict[str, str]:
    """``OTEL_RESOURCE_ATTRIBUTES``: ``key=value`` in a list, values percent-encoded (W3C Baggage's form)."""
    found: dict[str, str] = {}
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        found[key.strip()] = _percent_decoded(value.strip())
    return found


def _percent_decoded(text: str) -> str:
    if "%" not in text:
        return text
    raw = re.sub(rb"%([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), text.encode())
    return raw.decode(errors="replace")


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _one_word(path: str) -> str:
    """The content of a file of one word, as deployment tools leave it; "" where it holds anything else."""
    try:
        with open(path, encoding="utf-8") as stream:
            words = stream.read(_LONGEST + 1).split()
    except (OSError, ValueError):
        return ""
    return words[0] if len(words) == 1 and len(words[0]) <= _LONGEST else ""


def _git_commit(root: str) -> str:
    try:
        return _head_commit(_git_directory(root))
    except (OSError, ValueError, IndexError):
        return ""


def _git_directory(root: str) -> str:
    """The ``.git`` directory of the nearest work tree; a worktree's ``.git`` is a file that names it."""
    folder = os.path.abspath(root)
    while True:
        candidate = os.path.join(folder, ".git")
        if os.path.isdir(candidate):
            return candidate
        if os.path.isfile(candidate):
            return os.path.join(folder, _read(candidate).split("gitdir:", 1)[1].strip())
        parent = os.path.dirname(folder)
        if parent == folder:
            raise ValueError("no .git above " + root)
        folder = parent


def _head_commit(git: str) -> str:
    head = _read(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return head
    reference = head[len("ref:") :].strip()
    common = git
    if os.path.isfile(os.path.join(git, "commondir")):
        common = os.path.join(git, _read(os.path.join(git, "commondir")))
    for folder in (git, common):
        if os.path.isfile(os.path.join(folder, reference)):
            return _read(os.path.join(folder, reference))
    for line in _read(os.path.join(common, "packed-refs")).splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return ""


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read().strip()


def _package_version(root: str) -> str:
    """The version of the package that ``pyproject.toml`` names: as it is installed, else as it is written there."""
    project = _project_table(os.path.join(root, "pyproject.toml"))
    return _installed_version(project.get("name", "")) or project.get("version", "")


def _project_table(path: str) -> dict[str, str]:
    """``name`` and ``version`` of ``[project]`` where they are plain strings: Python 3.10 has no reader for TOML."""
    found: dict[str, str] = {}
    table = ""
    try:
        with open(path, encoding="utf-8") as stream:
            lines = stream.read(1_000_000).splitlines()
    except (OSError, ValueError):
        return {}
    for line in lines:
        header, string = _TABLE.match(line), _STRING.match(line)
        if header:
            table = header[1]
        elif string and table == "project":
            found.setdefault(string[1], string[2] or string[3])
    return found


def _installed_version(name: str) -> str:
    """From the names of the ``.dist-info`` folders on the path: ``importlib.metadata`` takes 20 ms to import."""
    import sys

    wanted = _normal(name)
    for folder in sys.path if wanted else ():
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for found in names:
            package, _, version = found[: -len(".dist-info")].rpartition("-")
            if found.endswith(".dist-info") and version and _normal(package) == wanted:
                return version
    return ""


def _normal(name: str) -> str:
    """The name of a package as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
