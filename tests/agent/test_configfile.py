from __future__ import annotations

from pathlib import Path

import pytest

from burnish.app import config_type
from burnish.configfile import described, line_of, load
from burnish.errors import ConfigError

GOOD = '[service]\nname = "shop"\nrepository = "origin.git"\n'


def loaded(path: Path, text: str, **environment: str) -> object:
    file = path / "burnish.toml"
    file.write_text(text, encoding="utf-8")
    return load(config_type(), file, environment)


def refused(path: Path, text: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(path, text, **environment)
    return str(caught.value)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD + "[limits]\nmax_opne = 2\n")
    assert message.endswith("burnish.toml:5: unknown key `limits.max_opne`; did you mean `max_open`?")


def test_an_unknown_section_and_an_unknown_detector(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD + "[detectors.n_plus_two]\nx = 1\n[shedule]\ncron = ''\n")
    assert "burnish.toml:4: unknown key `detectors.n_plus_two`; did you mean `n_plus_one`?" in message
    assert "burnish.toml:6: unknown key `shedule`; did you mean `schedule`?" in message


def test_a_missing_key_says_where_to_add_it(tmp_path: Path) -> None:
    assert "`service.repository` is missing; add it under [service]" in refused(tmp_path, '[service]\nname = "a"\n')


def test_a_wrong_type_is_named(tmp_path: Path) -> None:
    assert ":5: `limits.max_open`:" in refused(tmp_path, GOOD + "[limits]\nmax_open = 'many'\n")


@pytest.mark.parametrize("text", ["[service", "a = = 1"])
def test_broken_toml(tmp_path: Path, text: str) -> None:
    assert "is not valid TOML" in refused(tmp_path, text)


def test_a_missing_and_an_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read .*burnish init"):
        load(config_type(), tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(config_type(), tmp_path / "latin.toml", {})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD + "[limits]\nmax_open = 2\n", BURNISH__LIMITS__MAX_OPEN="7", BURNISH_OUTPUT="x")
    assert config.limits.max_open == 7  # type: ignore[attr-defined]


def test_a_typo_in_the_environment_is_an_error(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD, BURNISH__LIMITS__MAX_OPNE="7")
    assert message == "environment variable BURNISH__LIMITS__MAX_OPNE: unknown key `max_opne`; did you mean `max_open`?"


def test_every_setting_has_a_sentence() -> None:
    silent = [f"{section}.{key}" for section, key, _, text in described(config_type()) if not text]
    assert silent == []


def test_lines_are_found() -> None:
    text = "a = 1\n[b.c]\nd = 2\n[e]\n"
    assert [line_of(text, k) for k in (["a"], ["b", "c", "d"], ["b", "c", "x"], ["e"])] == [1, 3, 2, 4]
