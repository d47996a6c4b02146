"""A small Flask service on synchronous SQLAlchemy, as a dictionary of files, and its snapshot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FILES = {
    "library/__init__.py": "",
    "library/models.py": """
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[int]
""",
    "library/database.py": """
import os

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
Session = sessionmaker(engine)
""",
    "library/shelf.py": """
from sqlalchemy import select

from library.models import Book


def rows(session, page):
    books = session.scalars(select(Book).order_by(Book.id).offset(page * 10).limit(10))
    return [{"title": book.title, "author": book.author.name} for book in books]
""",
    "library/visits.py": """
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from library.database import Session, engine
from library.models import Visit


def count(session):
    return session.scalar(select(func.count()).select_from(Visit))


def visit(page):
    with Session() as session:
        session.add(Visit(page=page))
        session.commit()
    with Session() as session:
        return count(session)


def beside(page):
    with Session() as reading:
        before = count(reading)
        visit(page)
    with Session() as session:
        return [before, count(session)]


def by_hand(page):
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.execute(text("INSERT INTO visits (page) VALUES (:page)"), {"page": page})
        connection.exec_driver_sql("COMMIT")
    with Session() as session:
        return count(session)


def undone(page):
    with Session() as session:
        session.add(Visit(id=1, page=page))
        session.commit()
        try:
            session.add(Visit(id=1, page=page))
            session.commit()
        except IntegrityError:
            session.rollback()
        session.add(Visit(page=page))
        session.rollback()
        return count(session)
""",
    "app.py": """
from flask import Blueprint, Flask, jsonify, request

from library import shelf, visits
from library.database import Session

books = Blueprint("books", __name__, url_prefix="/books")


@books.get("/")
def book_list():
    with Session() as session:
        return jsonify(books=shelf.rows(session, int(request.args.get("page", 0))))


@books.get("/<int:pk>/")
def book(pk):
    return jsonify(pk=pk)


def create_app():
    app = Flask(__name__)
    app.register_blueprint(books)

    @app.get("/visits/<kind>/")
    def visit(kind):
        return jsonify(getattr(visits, kind)(3))

    @app.post("/only/post/")
    def only():
        return ""

    @app.get("/broken/")
    def broken():
        raise RuntimeError("of the service")

    return app


app = create_app()
""",
    "tests/test_shelf.py": """
from library import shelf
from library.database import Session, engine
from library.models import Author, Base, Book


def test_rows():
    Base.metadata.create_all(engine)
    with Session() as session:
        session.add(Book(title="T", author=Author(name="A")))
        session.flush()
        assert shelf.rows(session, 0) == [{"title": "T", "author": "A"}]
""",
    "pytest.ini": "[pytest]\npythonpath = .\n",
}
"""The N+1 is in `library.shelf:rows`: one query for the author of each book."""


def snapshot(path: Path) -> str:
    """Its URL."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
            CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(80) NOT NULL,
                author_id INTEGER NOT NULL REFERENCES authors (id));
            CREATE TABLE visits (id INTEGER PRIMARY KEY, page INTEGER NOT NULL);
            """
        )
        database.executemany("INSERT INTO authors (name) VALUES (?)", [(f"author {n}",) for n in range(90)])
        rows = [(f"title {n}", 1 + n % 90) for n in range(200)]
        database.executemany("INSERT INTO books (title, author_id) VALUES (?, ?)", rows)
        database.commit()
    return f"sqlite:///{path}"


def written(folder: Path) -> Path:
    """The files, in a folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder
