from __future__ import annotations

import tomllib

from burnish.app import config_type
from evals.generate import REPOSITORY, generated


def test_generated_files_are_as_the_code_says() -> None:
    stale = [
        name
        for name, text in generated().items()
        if not (REPOSITORY / name).exists() or (REPOSITORY / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run scripts/generate"


def test_the_template_is_a_valid_configuration_and_changes_nothing() -> None:
    text = (REPOSITORY / "config/burnish.toml").read_text(encoding="utf-8")
    config = config_type().model_validate(tomllib.loads(text))
    assert config == config_type().model_validate({"service": {"name": "…", "repository": "…"}})
    uncommented = "\n".join(line[2:] if " = " in line and line.startswith("# ") else line for line in text.splitlines())
    assert config_type().model_validate(tomllib.loads(uncommented)) == config
