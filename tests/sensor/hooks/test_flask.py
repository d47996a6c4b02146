from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.entry_support import call_wall, entries, entry_of, wall
from tests.sensor.hooks.sql_support import observe, queries

pytest.importorskip("flask")

APP = """
    import sqlite3, time
    from flask import Flask, Response, abort, send_file
    from werkzeug.serving import make_server

    app = Flask(__name__)
    db = sqlite3.connect(":memory:", check_same_thread=False)

    @app.get("/orders/<int:number>")
    def order(number):
        return str(db.execute("SELECT ?", (number,)).fetchone())

    @app.get("/broken")
    def broken():
        raise LookupError("hunter2")

    @app.get("/gone")
    def gone():
        abort(410)

    @app.get("/stream")
    def stream():
        return Response(chunks(), mimetype="text/plain")

    def chunks():
        for number in range(3):
            time.sleep(0.02)
            yield step(number)

    def step(number):
        db.execute("SELECT 'step'").fetchall()
        return str(number)

    @app.get("/cut")
    def cut():
        return Response(failing(), mimetype="text/plain")

    def failing():
        yield "a"
        raise OSError("hunter2")

    @app.get("/file")
    def file():
        return send_file(__file__)

    def main():
        import threading, urllib.request
        server = make_server("127.0.0.1", 0, app)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        def get(path):
            try:
                return urllib.request.urlopen("http://127.0.0.1:%d%s" % (server.server_port, path), timeout=5).read()
            except Exception as error:
                return str(error)
        for path in ("/orders/1", "/orders/2", "/broken", "/gone", "/nowhere/hunter2", "/cut", "/file"):
            get(path)
        assert get("/stream") == b"012"
        server.shutdown()
"""


def test_requests_are_entries_and_streams_end_with_their_body(tmp_path: Path) -> None:
    window = observe(tmp_path, APP.replace("app.run", "run"), "import logging; logging.disable(); app.main()")
    assert entries(window) == {
        "GET /orders/<int:number>": (2, {"200": 2}, {}),
        "GET /broken": (1, {"500": 1}, {"LookupError": 1}),
        "GET /gone": (1, {"410": 1}, {}),
        "GET <unmatched>": (1, {"404": 1}, {}),
        "GET /stream": (1, {"200": 1}, {}),
        "GET /cut": (1, {"200": 1}, {"OSError": 1}),
        "GET /file": (1, {"200": 1}, {}),
    }
    assert entry_of(window, "app:step") == {"GET /stream": 3}
    assert wall(window, "GET /stream") > call_wall(window, "app:chunks")
    assert queries(window)["step", "SELECT ?"] == (3, 3)
    (stream,) = (row for row in window["entries"] if row["entry"] == "GET /stream")
    assert stream["queries"]["sum"] == 3
    assert "hunter2" not in str(window)
