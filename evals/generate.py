"""Writes what is generated from the code: config/burnish.toml, its JSON Schema, a page per recipe and detector.

`python -m evals.generate --check` writes nothing and fails where a file is stale; a test runs it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from pathlib import Path

from burnish.app import config_type
from burnish.configfile import json_schema, template
from burnish_tools.detectors import detector_types
from burnish_tools.recipes import recipes

REPOSITORY = Path(__file__).resolve().parents[1]


def generated() -> dict[str, str]:
    """Text by path, relative to the repository."""
    schema = json.dumps(json_schema(config_type()), indent=2, ensure_ascii=False, sort_keys=True)
    files = {"config/burnish.toml": template(config_type()), "config/burnish.schema.json": schema + "\n"}
    for recipe in recipes():
        files[f"docs/recipes/{recipe.name}.md"] = _page(recipe.name, type(recipe))
    for detector in detector_types():
        module = inspect.getmodule(detector)
        files[f"docs/detectors/{detector.name}.md"] = _page(detector.name, module or detector)
    return files


def _page(name: str, documented: object) -> str:
    text = inspect.getdoc(documented) or ""
    return f"# {name}\n\nGenerated from the code by scripts/generate.\n\n{text}\n"


def main() -> int:
    """0 when everything is as generated."""
    options = argparse.ArgumentParser(prog="scripts/generate", description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check = options.parse_args().check
    stale = []
    for name, text in generated().items():
        path = REPOSITORY / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print("\n".join(f"{'stale' if check else 'written'}: {name}" for name in stale) or "everything is up to date")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
