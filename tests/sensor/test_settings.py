from __future__ import annotations

from pathlib import Path

import pytest

from burnish_sensor.settings import KNOWN, read_settings


def test_settings_have_defaults(tmp_path: Path) -> None:
    settings = read_settings({"BURNISH_RELEASE": "r"}, str(tmp_path))
    assert (settings.service, settings.environment, settings.release) == (tmp_path.name, "production", "r")
    assert (settings.output, settings.window_seconds) == (str(tmp_path.resolve() / ".burnish" / "windows"), 10.0)
    assert settings.enabled


@pytest.mark.parametrize(("text", "seconds"), [("0.5", 0.5), ("30", 30.0), ("often", 10.0), ("0", 10.0), ("nan", 10.0)])
def test_a_window_length_that_cannot_be_used_is_the_default(text: str, seconds: float, tmp_path: Path) -> None:
    assert read_settings({"BURNISH_WINDOW_SECONDS": text}, str(tmp_path)).window_seconds == seconds


@pytest.mark.parametrize("text", ["off", "OFF", "0", "false"])
def test_the_switch(text: str, tmp_path: Path) -> None:
    assert not read_settings({"BURNISH_SENSOR": text}, str(tmp_path)).enabled


@pytest.mark.parametrize(
    ("text", "budget"),
    [("", 0.01), ("0.05", 0.05), ("1", 1.0), ("0", 0.01), ("7", 0.01), ("a lot", 0.01), ("nan", 0.01)],
)
def test_the_budget_is_a_share_or_the_default(text: str, budget: float, tmp_path: Path) -> None:
    assert read_settings({"BURNISH_BUDGET": text}, str(tmp_path)).budget == budget


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("windows", "{root}/windows"),
        ("/var/windows", "/var/windows"),
        ("all.jsonl", "{root}/all.jsonl"),
        ("unix:run/burnish.sock", "unix:{root}/run/burnish.sock"),
        ("unix:///run/burnish.sock", "unix:/run/burnish.sock"),
        ("http://collector", "http://collector:80/v1/windows"),
        ("https://collector.example.org/", "https://collector.example.org:443/v1/windows"),
        ("http://[::1]:8080/in?x=1", "http://[::1]:8080/in?x=1"),
    ],
)
def test_outputs(text: str, shown: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = read_settings({"BURNISH_OUTPUT": text}, str(tmp_path))
    assert settings.output == shown.format(root=tmp_path.resolve())
    assert read_settings({"BURNISH_OUTPUT": settings.output}, str(tmp_path)).output == settings.output
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host/x",
        "http://",
        "http://host:99999",
        "http://a b/",
        "http://host/\r\nX: y",
        "unix:",
        "unix:" + "x" * 200,
    ],
)
def test_an_output_that_cannot_be_used(text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = read_settings({"BURNISH_OUTPUT": text}, str(tmp_path))
    assert settings.output == str(tmp_path.resolve() / ".burnish" / "windows")
    complaint = capfd.readouterr().err
    assert complaint.count("\n") == 1
    assert "BURNISH_OUTPUT" in complaint
    assert settings.output in complaint


def test_a_password_is_never_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = read_settings({"BURNISH_OUTPUT": "http://me:s3cret@host/", "BURNISH_TOKEN": "t0ken"}, str(tmp_path))
    shown = capfd.readouterr().err
    assert "BURNISH_TOKEN" in shown
    assert "s3cret" not in shown
    assert "t0ken" not in repr(settings)


def test_a_token_that_no_header_may_hold(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert read_settings({"BURNISH_TOKEN": "a\r\nX: b"}, str(tmp_path)).token == ""
    assert "BURNISH_TOKEN" in capfd.readouterr().err
    assert read_settings({"BURNISH_TOKEN": " abc\n"}, str(tmp_path)).token == "abc"


def test_packages_outside_of_the_root(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = read_settings({"BURNISH_INCLUDE": "shop_core, lib.billing,,shop_core,no-name"}, str(tmp_path))
    assert settings.include == ("shop_core", "lib.billing")
    assert "no-name" in capfd.readouterr().err


def test_limits_and_the_core(tmp_path: Path) -> None:
    settings = read_settings({}, str(tmp_path))
    assert (settings.memory_mb, settings.spool_mb, settings.native, settings.include) == (32.0, 64.0, True, ())
    environ = {"BURNISH_MEMORY_MB": "8", "BURNISH_SPOOL_MB": "5", "BURNISH_NATIVE": "off", "BURNISH_SPOOL": "var"}
    settings = read_settings(environ, str(tmp_path))
    assert (settings.memory_mb, settings.spool_mb, settings.native) == (8.0, 5.0, False)
    assert settings.spool == str(tmp_path.resolve() / "var")


def test_a_name_that_nobody_reads_is_said_with_what_was_meant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {"BURNISH_OUPUT": "x", "BURNISH_NONSENSE": "", "BURNISH__LIMITS__MAX_OPEN": "1", "BURNISH_PYTHON": "p"}
    read_settings(environ, str(tmp_path))
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "BURNISH_NONSENSE" in lines[0]
    assert "did you mean BURNISH_OUTPUT?" in lines[1]


def test_nothing_is_said_where_the_sensor_is_off(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    read_settings({"BURNISH_SENSOR": "off", "BURNISH_BUDGET": "x", "BURNISH_OUPUT": "y"}, str(tmp_path))
    assert capfd.readouterr().err == ""


def test_the_help_names_every_setting() -> None:
    from burnish_sensor.__main__ import HELP

    assert [name for name in KNOWN if name not in HELP] == []
