from __future__ import annotations

from pathlib import Path

from burnish_sensor.wsgi import Middleware
from tests.sensor.hooks.entry_support import entries, entry_of
from tests.sensor.hooks.sql_support import observe

APP = """
    from wsgiref.util import setup_testing_defaults
    from burnish_sensor.wsgi import Middleware

    class Chunks:
        closed = 0
        def __iter__(self):
            return (chunk(n) for n in range(3))
        def close(self):
            Chunks.closed += 1

    def chunk(number):
        return b"x"

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/broken":
            raise LookupError("hunter2")
        start_response("404 Not Found" if path.startswith("/no") else "201 Created", [])
        if path == "/stream":
            return Chunks()
        if path == "/file":
            return environ["wsgi.file_wrapper"]([b"f"])
        return [b"whole"]

    class FileWrapper:
        def __init__(self, stream): self.stream = stream
        def __iter__(self): return iter(self.stream)

    observed = Middleware(application, route=lambda environ: {"/broken": "/broken", "/stream": "/stream"}.get(
        environ["PATH_INFO"]))

    def call(path, method="GET"):
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.file_wrapper": FileWrapper}
        setup_testing_defaults(environ)
        return observed(environ, lambda status, headers: None)

    def main():
        assert call("/whole/hunter2") == [b"whole"]
        assert call("/no/hunter2", "hunter2") == [b"whole"]
        assert type(call("/file")) is FileWrapper
        one, two = call("/stream"), call("/stream")
        assert list(zip(one, two)) == [(b"x", b"x")] * 3
        one.close(); two.close(); two.close()
        assert Chunks.closed == 3
        abandoned = call("/stream")
        next(abandoned)
        del abandoned
        try:
            call("/broken")
        except LookupError:
            pass
        else:
            raise AssertionError
"""


def test_requests_of_any_wsgi_application_are_entries(tmp_path: Path) -> None:
    window = observe(tmp_path, APP)
    assert entries(window) == {
        "GET <unmatched>": (2, {"201": 2}, {}),
        "<method> <unmatched>": (1, {"404": 1}, {}),
        "GET /stream": (3, {"201": 3}, {}),
        "GET /broken": (1, {"500": 1}, {"LookupError": 1}),
    }
    assert entry_of(window, "app:chunk") == {"GET /stream": 7}
    assert "hunter2" not in str(window)


def test_without_a_sensor_the_middleware_does_nothing() -> None:
    def application(environ: object, start_response: object) -> list[object]:
        return [environ, start_response]

    environ, start = object(), object()
    assert Middleware(application)(environ, start) == [environ, start]
