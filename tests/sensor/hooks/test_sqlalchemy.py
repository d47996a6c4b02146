from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.support import run, windows, write

pytest.importorskip("sqlalchemy")

APP = """
    import sqlalchemy as sa
    from sqlalchemy import orm

    Base = orm.declarative_base()
    class Author(Base):
        __tablename__ = "author"
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String)
    class Book(Base):
        __tablename__ = "book"
        id = sa.Column(sa.Integer, primary_key=True)
        author_id = sa.Column(sa.ForeignKey("author.id"))
        author = orm.relationship(Author)

    engine = sa.create_engine("sqlite://")

    def prepare():
        Base.metadata.create_all(engine)
        with orm.Session(engine) as session:
            session.add_all(Book(author=Author(name=str(n))) for n in range(9))
            session.commit()

    def names(count):
        with orm.Session(engine) as session:
            books = session.scalars(sa.select(Book).limit(count)).all()
            return [
                book.author.name
                for book in books
            ]

    def broken():
        with engine.connect() as connection:
            try:
                connection.execute(sa.text("SELECT 'hunter2' FROM missing"))
            except sa.exc.OperationalError:
                pass
"""


@pytest.fixture
def window(tmp_path: Path) -> dict[str, Any]:
    write(tmp_path, app=APP)
    result = run(
        """
        import burnish_sensor
        burnish_sensor.start()
        import app
        app.prepare()
        for n in (3, 4, 8):
            app.names(n)
        app.broken()
        """,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    (found,) = windows(tmp_path)
    check_window(found)
    return found


def test_an_n_plus_1_is_visible_with_its_driver(window: dict[str, Any]) -> None:
    texts = {key: value["text"] for key, value in window["statements"].items()}
    author = next(key for key, text in texts.items() if "FROM author" in text and "WHERE" in text)
    (row,) = (row for row in window["per_call"] if row["statement"] == author and row["function"] == "app:names")
    assert (row["calls"], row["executions"]["sum"], row["executions"]["max"]) == (3, 15, 8)
    assert row["site"]["line"] == 28
    driver = row["driver"]
    assert "FROM book" in window["statements"][driver["statement"]]["text"]
    assert (driver["n"], driver["sum_x"], driver["sum_y"]) == (3, 15, 15)


def test_rows_and_system_are_known(window: dict[str, Any]) -> None:
    texts = {key: value["text"].split(" FROM ")[-1] for key, value in window["statements"].items()}
    rows = {texts[row["statement"]]: row["rows"] for row in window["queries"]}
    assert rows["book LIMIT ? OFFSET ?"] == 15
    assert {value["system"] for value in window["statements"].values()} == {"sqlite"}


def test_an_error_is_counted_and_no_literal_is_written(window: dict[str, Any]) -> None:
    (row,) = (row for row in window["queries"] if row["function"] == "app:broken")
    assert row["errors"] == {"OperationalError": 1}
    assert "hunter2" not in str(window)
