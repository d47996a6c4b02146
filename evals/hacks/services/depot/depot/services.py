"""What the depot's other services ask for."""

import logging

from sqlalchemy import select

from depot.database import Session
from depot.models import Article, Customer, Line, Order, Terms

logger = logging.getLogger("depot")


class NoCustomer(Exception):
    pass


def history(customer_id: int) -> list[dict[str, object]]:
    """The orders of a customer with their units and articles."""
    with Session() as session:
        orders = session.scalars(select(Order).where(Order.customer_id == customer_id).order_by(Order.id)).all()
        found = []
        for order in orders:
            skus = [line.article.sku for line in order.lines]
            found.append({"id": order.id, "units": sum(line.quantity for line in order.lines), "skus": skus})
        logger.info("history with %s orders", len(found))
        return found


def prices(ids: list[int]) -> list[tuple[str, str]]:
    """SKU and price of articles, in the order asked for; what does not exist or is retired is left out."""
    found = []
    with Session() as session:
        for key in ids:
            article = session.get(Article, key)
            if article is None:
                logger.warning("an unknown article")
                continue
            if article.retired:
                continue
            found.append((article.sku, str(article.price)))
    return found


def owed(customer_id: int) -> str:
    """What a customer owes for orders that are not cancelled; each order's discount is rounded by itself."""
    with Session() as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise NoCustomer(customer_id)
        total = 0
        for order in customer.orders:
            terms = session.scalars(select(Terms).execution_options(populate_existing=True)).one()
            if order.cancelled:
                continue
            value = sum(line.quantity * line.article.price for line in order.lines)
            if value >= terms.free_from:
                value = round(value * (1 - terms.discount), 2)
            total += value
        return str(total)


def catalogue(retired: bool) -> list[str]:
    """The SKUs of all articles."""
    with Session() as session:
        articles = session.scalars(select(Article).order_by(Article.sku)).all()
        return [article.sku for article in articles if article.retired == retired]


def buyers(article_id: int) -> list[str]:
    """Names of the customers who ordered an article, each once, by their first order."""
    names: list[str] = []
    with Session() as session:
        lines = session.scalars(select(Line).where(Line.article_id == article_id).order_by(Line.id)).all()
        for line in lines:
            if line.order.customer.name not in names:
                names.append(line.order.customer.name)
    return names


def has_ordered(customer_id: int) -> bool:
    """Whether a customer has ever ordered."""
    with Session() as session:
        orders = session.scalars(select(Order).where(Order.customer_id == customer_id)).all()
        return len([order for order in orders if order.lines]) > 0
