"""Examples for `selectinload`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding, Site
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")
    letters: Mapped[list["Letter"]] = relationship(lazy="raise", foreign_keys="Letter.author_id")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")

    @property
    def label(self) -> str:
        return f"{self.title} ({self.author.name})"


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped["Author | None"] = relationship(foreign_keys=author_id)
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    reader: Mapped["Author | None"] = relationship(foreign_keys=reader_id)
"""
HEAD = "from sqlalchemy import select\n\nfrom shelf.models import Author, Book, Letter\n\n\n"
BOOKS = "SELECT books.id, books.title, books.author_id FROM books WHERE ? = books.author_id ORDER BY books.id"
AUTHORS = "SELECT authors.id, authors.name FROM authors WHERE authors.id = ?"


def finding(function: str = "listing", *, site: str = "", statement: str = BOOKS) -> Finding:
    """A finding in `shelf/views.py` whose query is issued in `site` (default: in the function itself)."""
    where = site or f"shelf.views:{function}"
    at = Site(function=where, file=where.split(":")[0].replace(".", "/") + ".py", line=1)
    evidence = Evidence(statement=statement, statement_id="s1", site=at)
    return example_finding("n_plus_one", f"shelf.views:{function}", "shelf/views.py", evidence, line=6)


def files(body: str, **more: str) -> dict[str, str]:
    """The repository of an example: models and one file of views."""
    return {"shelf/models.py": MODELS, "shelf/views.py": HEAD + body, **more}


def act(name: str, before: str, after: str, what: Finding, loader: str = "selectinload") -> Act:
    """The common case: one file of views changes."""
    head = HEAD.replace("import select\n", f"import select\nfrom sqlalchemy.orm import {loader}\n")
    return Act(name, files(before), what, {"shelf/views.py": head + after})


def refuse(name: str, body: str, what: Finding, why: Why, detail: str = "") -> Refuse:
    """The common case: views that must stay."""
    return Refuse(name, files(body), what, why, detail)


LOOP = """def listing(session):
    # in the order of the catalogue
    authors = session.scalars(select(Author).order_by(Author.name).limit(50)).all()
    return [[book.title for book in author.books] for author in authors]
"""
IN_PLACE = """def listing(session):
    for book in session.scalars(select(Book)):  # all of them
        print(book.author.name)
"""
ASYNC = """async def listing(session):
    out = []
    for author in await session.scalars(select(Author).where(Author.name != "")):
        books = await author.awaitable_attrs.books
        out.append(len(books))
    return out
"""
REPOSITORY = """class Authors:
    def __init__(self, session):
        self.session = session

    async def named(self, name, limit):
        query = select(Author).order_by(Author.id)
        if name:
            query = query.where(Author.name == name)
        return list(await self.session.scalars(query.limit(limit)))


class Service:
    def __init__(self, session):
        self.session, self.authors = session, Authors(session)

    async def listing(self, name):
        found = await self.authors.named(name, 20)
        for author in found:
            print(await author.awaitable_attrs.books)
"""
HELPERS = """def as_row(letter):
    return {"id": letter.id, "author": letter.author and letter.author.name}


def listing(session):
    letters = session.execute(select(Letter)).scalars().all()
    return [as_row(letter) for letter in letters]
"""
PROPERTY = """def listing(session):
    query = (
        select(Book)
        .where(Book.title != "")
        .order_by(Book.id)  # as on paper
    )
    return [book.label for book in session.scalars(query)]
"""
ALIASED = """from sqlalchemy.orm import defer


def listing(session):
    query = select(Author).options(defer(Author.name))
    for author in session.scalars(query):
        print(len(author.books))
"""
COMMIT = "        await session.commit()\n"
OTHER = "\n    async def other(self):\n        return await self.authors.named('', 5)\n"
LOADED = ".options(selectinload(Author.books))"
JOINED = ".options(joinedload(Book.author))"

SELECTINLOAD: tuple[Act | Refuse, ...] = (
    act("a collection, after the limit", LOOP, LOOP.replace("limit(50)", "limit(50)" + LOADED), finding()),
    act("one row that is certainly there", IN_PLACE, IN_PLACE.replace("select(Book)", "select(Book)" + JOINED),
        finding(statement=AUTHORS), "joinedload"),
    act("awaited attributes", ASYNC, ASYNC.replace('!= "")', '!= "")' + LOADED), finding()),
    act("in a repository's method, whose query is refined", REPOSITORY,
        REPOSITORY.replace("order_by(Author.id)", "order_by(Author.id)" + LOADED), finding("Service.listing")),
    act("one row that may be missing, in a helper", HELPERS,
        HELPERS.replace("select(Letter)", "select(Letter).options(selectinload(Letter.author))"),
        finding(site="shelf.views:as_row", statement=AUTHORS)),
    act("in a property, on a line of its own", PROPERTY,
        PROPERTY.replace("# as on paper\n", f"# as on paper\n        {JOINED}\n"),
        finding(site="shelf.models:Book.label", statement=AUTHORS), "joinedload"),
    Act("among other options", files(ALIASED), finding(),
        {"shelf/views.py": (HEAD + ALIASED).replace("import defer\n", "import defer\nfrom sqlalchemy.orm import "
         "selectinload\n").replace("defer(Author.name)", "defer(Author.name), selectinload(Author.books)")}),
    refuse("there already", "from sqlalchemy.orm import subqueryload\n\n\n" + LOOP.replace(
        "select(Author)", "select(Author).options(subqueryload(Author.books))"), finding(), Why.ALREADY_DONE, "books"),
    refuse("row lock", LOOP.replace("limit(50)", "limit(50).with_for_update()"), finding(), Why.LOOP_LOCKS, "views.py"),
    refuse("stops at the first", IN_PLACE + "        if book.author.name:\n            break\n",
           finding(statement=AUTHORS), Why.LOOP_EXITS_EARLY, "views.py:10"),
    refuse("commits in the loop", ASYNC.replace("        out.append", COMMIT + "        out.append"),
           finding(), Why.LOOP_WRITES, "views.py:10"),
    refuse("writes by a helper", "def keep(session, book):\n    session.add(Letter(author=book.author))\n\n\n"
           + IN_PLACE.replace("print(book.author.name)", "keep(session, book)"),
           finding(site="shelf.views:keep", statement=AUTHORS), Why.LOOP_WRITES, "views.py:7"),
    refuse("changes the collection", ASYNC.replace("out.append(len(books))", "author.books.append(Book())"),
           finding(), Why.LOOP_WRITES, "views.py:10"),
    refuse("a comment says so", IN_PLACE.replace("# all of them", "# on purpose without a join"),
           finding(statement=AUTHORS), Why.LOAD_BEARING, "on purpose"),
    refuse("others call it too", REPOSITORY + OTHER, finding("Service.listing"), Why.AMBIGUOUS, "several places"),
    refuse("two relationships fit",
           IN_PLACE.replace("Book", "Letter").replace("book.author.name", "book.author, book.reader"),
           finding(statement=AUTHORS), Why.AMBIGUOUS, "(reader)"),
    refuse("streamed", IN_PLACE.replace("select(Book)", "select(Book).execution_options(yield_per=100)"),
           finding(statement=AUTHORS), Why.NO_PATTERN, "streams"),
    refuse("only some columns", IN_PLACE.replace("select(Book)", "select(Book.id, Book.title)"),
           finding(statement=AUTHORS), Why.QUERYSET_NOT_FOUND, "select(Book.id"),
    refuse("another table", IN_PLACE, finding(statement=BOOKS.replace("books", "stock")),
           Why.RELATION_NOT_FOUND, "stock"),
    refuse("no lookup by a key", IN_PLACE, finding(statement="SELECT count(*) FROM authors"),
           Why.NO_PATTERN, "one key"),
    refuse("unknown rows", IN_PLACE.replace("session.scalars(select(Book))", "session.books"),
           finding(statement=AUTHORS), Why.QUERYSET_NOT_FOUND, "session.books"),
)  # fmt: skip
