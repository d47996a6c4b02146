"""Creates the tables with the same rows every time: `python -m depot.sample_data`."""

import random
from decimal import Decimal

from depot.database import Session, engine
from depot.models import Article, Base, Customer, Line, Order, Terms


def fill(customers: int, articles: int, orders: int) -> None:
    rng = random.Random(1)
    Base.metadata.create_all(engine)
    with Session() as session:
        session.add(Terms(id=1, free_from=Decimal("50.00"), discount=Decimal("0.0275")))
        session.add_all(Customer(id=n, name=f"Ada {n % 17}") for n in range(1, customers + 1))
        session.add_all(
            Article(
                id=n, sku=f"A-{n * 7919 % 10007:05d}", text="linen " * 330, price=Decimal(n * 37 % 9000) / 100,
                retired=n % 11 == 0,
            )
            for n in range(1, articles + 1)
        )
        for n in range(1, orders + 1):
            session.add(Order(id=n, customer_id=1 + n % customers, cancelled=n % 13 == 0))
        lines = [(n, 1 + (n * 31 + place * 17) % articles) for n in range(1, orders + 1) for place in range(n % 4)]
        session.add_all(
            Line(id=n, order_id=order, article_id=article, quantity=rng.randrange(1, 5))
            for n, (order, article) in enumerate(lines, start=1)
        )
        session.commit()


if __name__ == "__main__":
    fill(customers=30, articles=400, orders=900)
