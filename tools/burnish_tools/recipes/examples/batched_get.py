"""Examples for `batched_get`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding, Site
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    reference: Mapped[str]


class Rate(Base):
    __tablename__ = "rates"
    currency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
"""
IMPORTED = "from sqlalchemy.orm import Session\n"
HEAD = IMPORTED + "\nfrom shop.models import Customer, Order, Rate\n\n\n"
CUSTOMER = "SELECT customers.id, customers.name FROM customers WHERE customers.id = ?"


def finding(statement: str = CUSTOMER, executions: float = 20.0, site: str = "shop.views:listing") -> Finding:
    """A finding in `shop/views.py`."""
    evidence = Evidence(statement=statement, statement_id="s1", executions_per_call=executions,
                        site=Site(function=site, file="shop/views.py", line=7))  # fmt: skip
    return example_finding("n_plus_one", "shop.views:listing", "shop/views.py", evidence, line=6)


def files(body: str) -> dict[str, str]:
    """The repository of an example: models and one file of views."""
    return {"shop/models.py": MODELS, "shop/views.py": HEAD + body}


def act(name: str, before: str, after: str, what: Finding) -> Act:
    """The common case: `select` has to be imported too."""
    head = HEAD.replace(IMPORTED, "from sqlalchemy import select\n" + IMPORTED)
    return Act(name, files(before), what, {"shop/views.py": head + after})


def refuse(name: str, body: str, why: Why, detail: str = "", what: Finding | None = None) -> Refuse:
    """The common case: views that must stay."""
    return Refuse(name, files(body), what or finding(), why, detail)


KEYS = """def listing(session: Session, ids: list[int]):
    # in the order that was asked for
    for number in ids:
        customer = session.get(Customer, number)
        print(customer and customer.name)
"""
ROWS = """async def listing(session, orders: list[Order]):
    out = []
    for order in orders:
        customer = await session.get(Customer, order.customer_id)
        out.append(customer.name if customer else "")
    return out
"""
COMPREHENSION = """async def listing(session, ids: tuple[int, ...]):
    return [await session.get(Customer, each) for each in ids]
"""
QUERIED = """from sqlalchemy import select


def listing(session: Session):
    orders = session.scalars(select(Order).order_by(Order.id)).all()
    for order in orders:
        if order.reference:
            customer = session.get(Customer, order.customer_id)
            print(customer and customer.name)
"""
OWN = """class Service:
    async def listing(self, ids: set[int]):
        found = []
        for each in ids:
            found.append(await self.session.get(Customer, each))
        return found
"""
ASKED = "select(Customer).where(Customer.id.in_("
BY_ROW = f"customers_wanted = {ASKED}[order.customer_id for order in orders]))\n"
FOUND = "customers_by_id = {row.id: row for row in session.scalars(customers_wanted)}\n"
AWAITED = FOUND.replace("in session", "in await session")


def _method(what: Finding) -> Finding:
    site = Site(function="shop.views:Service.listing", file="shop/views.py", line=7)
    evidence = what.evidence.model_copy(update={"site": site})
    return what.model_copy(update={"function": site.function, "evidence": evidence})


BATCHED_GET: tuple[Act | Refuse, ...] = (
    act("a list of keys", KEYS, KEYS.replace(
        "    # in", f"    customers_wanted = {ASKED}ids))\n    {FOUND}    # in").replace(
        "session.get(Customer, number)", "customers_by_id.get(number)"), finding()),
    act("keys that rows hold", ROWS, ROWS.replace("    for order", f"    {BY_ROW}    {AWAITED}    for order").replace(
        "await session.get(Customer, order.customer_id)", "customers_by_id.get(order.customer_id)"), finding()),
    act("a comprehension", COMPREHENSION, COMPREHENSION.replace(
        "    return", f"    customers_wanted = {ASKED}ids))\n    {AWAITED}    return").replace(
        "await session.get(Customer, each)", "customers_by_id.get(each)"), finding()),
    Act("rows that were queried", files(QUERIED), finding(), {"shop/views.py": HEAD + QUERIED.replace(
        "    for order", f"    {BY_ROW}    {FOUND}    for order").replace(
        "session.get(Customer, order.customer_id)", "customers_by_id.get(order.customer_id)")}),
    act("a session of the object", OWN, OWN.replace("        for each", f"        customers_wanted = {ASKED}ids))\n"
        f"        {AWAITED.replace('session', 'self.session')}        for each").replace(
        "await self.session.get(Customer, each)", "customers_by_id.get(each)"), _method(finding())),
    refuse("a lock", KEYS.replace("number)", "number, with_for_update=True)"), Why.LOOP_LOCKS, "with_for_update"),
    refuse("keys of unknown type", KEYS.replace("list[int]", "list"), Why.NO_PATTERN, "not known to be a list"),
    refuse("keys of another type", KEYS.replace("list[int]", "list[str]"), Why.NO_PATTERN, "type int"),
    refuse("an iterator", KEYS.replace("list[int]", "Iterator[int]"), Why.NO_PATTERN, "not known to be a list"),
    refuse("a result that is read once", QUERIED.replace(".all()", ""), Why.NO_PATTERN, "only once"),
    refuse("no key of that table", ROWS.replace("order.customer_id", "order.id"), Why.NO_PATTERN, "refer to Customer"),
    refuse("stops at the first", KEYS + "        if number:\n            break\n", Why.LOOP_EXITS_EARLY, "views.py:12"),
    refuse("writes in the loop", KEYS + "        session.flush()\n", Why.LOOP_WRITES, "views.py:11"),
    refuse("a comment says so", KEYS.replace("# in the order that was asked for", "# do not batch: memory"),
           Why.LOAD_BEARING, "do not batch"),
    refuse("a key of two columns", KEYS.replace("Customer", "Rate"), Why.NO_PATTERN, "one plain column",
           finding(CUSTOMER.replace("customers", "rates"))),
    refuse("too many keys", KEYS, Why.NO_PATTERN, "too many for one query", finding(executions=9000.0)),
    refuse("in another function", KEYS, Why.NO_PATTERN, "not in the loop itself", finding(site="shop.data:customer")),
    refuse("no session", KEYS.replace("session", "cache"), Why.NO_PATTERN, "no loop gets rows"),
    refuse("the key is computed", KEYS.replace("number)", "number + 1)"), Why.NO_PATTERN, "neither"),
)  # fmt: skip
