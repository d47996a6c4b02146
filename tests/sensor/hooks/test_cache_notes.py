"""Whether Django's caches had what was asked for, as a note of the entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.support import run, windows, write

pytest.importorskip("django")


def test_hits_and_misses_of_a_cache_are_noted(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import time
        import burnish_sensor
        from django.conf import settings
        settings.configure(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})
        from django.core.cache import cache
        def look(*keys):
            time.sleep(0.0015)
            return [cache.get(key, "nothing") for key in keys]
        def main():
            cache.set("known", 1)
            for name, keys in (("hit", ["known"]), ("miss", ["other"]), ("both", ["known", "other"]), ("none", [])):
                with burnish_sensor.entry("job:" + name):
                    assert look(*keys) == [{"known": 1, "other": "nothing"}[key] for key in keys]
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app; app.main()", tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    rows = [row for window in windows(tmp_path) for row in window["exemplars"] if row["function"] == "app:look"]
    assert {row["entry"]: row["facts"].get("note.cache") for row in rows} == {
        "job:hit": "hit",
        "job:miss": "miss",
        "job:both": "mixed",
        "job:none": None,
    }


@pytest.mark.parametrize("module", ["db", "filebased", "locmem", "memcached", "redis"])
def test_the_hook_fits_each_cache_of_django(tmp_path: Path, module: str) -> None:
    if module == "redis" and pytest.importorskip("django").VERSION < (4, 0):
        pytest.skip("this Django has no cache in Redis")
    code = f"""
        import burnish_sensor
        burnish_sensor.start()
        from importlib import import_module
        from django.conf import settings
        settings.configure()
        found = import_module("django.core.cache.backends.{module}")
        from django.core.cache.backends.base import BaseCache
        wrapped = [kind for kind in vars(found).values() if isinstance(kind, type) and "get" in vars(kind)]
        wrapped = [kind for kind in wrapped if kind is not BaseCache and issubclass(kind, BaseCache)]
        print(len(wrapped) > 0 and all(hasattr(kind.get, "__burnish__") for kind in wrapped))
    """
    result = run(code, tmp_path)
    assert (result.stdout, result.stderr) == ("True\n", "")
