"""Prompts: files with a head that says what they are for, and variables that are all given or it is an error.

    ---
    purpose: what it asks for
    inputs: finding, files
    output: Answer
    version: 1
    ---
    Text with {{finding}} and {{files}}.

Values are put in once and never read as a template themselves, so code with `{{braces}}` stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from burnish._files import data_dir
from burnish.errors import ConfigError

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_KEYS = ("purpose", "inputs", "output", "version")


@dataclass(frozen=True)
class Prompt:
    """A prompt as it is in its file."""

    name: str
    purpose: str
    inputs: frozenset[str]
    output: str
    """Name of the schema of the answer; empty where the prompt is only a part of a question."""
    version: int
    text: str

    @property
    def label(self) -> str:
        """Name and version, for the record of what was asked."""
        return f"{self.name}@{self.version}"

    def render(self, **values: str) -> str:
        """The text with its variables. Raises ConfigError where one is missing or is not in the prompt."""
        for name in sorted(self.inputs ^ values.keys()):
            said = "needs the" if name in self.inputs else "has no"
            raise ConfigError(f"prompt {self.name}.md {said} variable {name}; its inputs: {_listed(self.inputs)}")
        return _VARIABLE.sub(lambda found: values[found[1]], self.text)


def load(name: str, directory: Path | None = None) -> Prompt:
    """Reads `NAME.md` of the shipped prompts or of another directory. Raises ConfigError that names file and mend."""
    path = (directory or data_dir("prompts")) / f"{name}.md"
    try:
        _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
        keys = {key: value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
        version = int(keys["version"])
    except OSError as error:
        raise ConfigError(f"the prompt {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{path} has to begin with a head between two `---` lines: {', '.join(_KEYS)}") from error
    if set(keys) != set(_KEYS):
        raise ConfigError(f"the head of {path} has to have exactly {', '.join(_KEYS)}, and has {_listed(set(keys))}")
    inputs = frozenset(filter(None, re.split(r",\s*", keys["inputs"])))
    used = frozenset(_VARIABLE.findall(text))
    if inputs != used:
        raise ConfigError(f"{path} says inputs: {_listed(inputs)}, and its text uses {_listed(used)}")
    return Prompt(name, keys["purpose"], inputs, keys["output"], version, text.strip() + "\n")


def quoted(kind: str, text: str, **attributes: str) -> str:
    """Foreign text between two tags that it cannot contain: the tags carry a hash of it."""
    tag = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    rest = "".join(f' {key}="{value.translate(_ATTRIBUTE)}"' for key, value in attributes.items())
    return f"<{tag}{rest}>\n{text}\n</{tag}>"


_ATTRIBUTE = str.maketrans({'"': "'", "<": "(", ">": ")", "\n": " "})


def _listed(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
