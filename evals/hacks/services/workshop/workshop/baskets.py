"""Orders, customers and amounts."""

import logging
from decimal import Decimal

from workshop import metrics

logger = logging.getLogger("workshop")


class Unreadable(Exception):
    """No amount in the list can be read."""


def unique(names: list[str]) -> list[str]:
    """Each name once, in the order in which they come first."""
    seen: list[str] = []
    for name in names:
        if name not in seen:
            seen.append(name)
    return seen


def with_customers(orders: list[tuple[int, str]], customers: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """(customer's name, article) of each order; orders of nobody are told in the log and left out."""
    found = []
    for customer, article in orders:
        for number, name in customers:
            if number == customer:
                found.append((name, article))
                break
        else:
            logger.warning("order of an unknown customer")
    return found


def frequencies(names: list[str]) -> list[tuple[str, int]]:
    """(name, how often), by name."""
    return [(name, names.count(name)) for name in sorted(set(names))]


def amounts(texts: list[str]) -> dict[str, object]:
    """The sum of the amounts that can be read, and how many cannot. Raises Unreadable where none can."""
    total, rejected = 0, 0
    for text in texts:
        try:
            total += int(text.replace(".", ""))
        except ValueError:
            rejected += 1
            metrics.increment("amounts.rejected")
    if rejected == len(texts):
        raise Unreadable(f"{rejected} amounts")
    return {"total": total, "rejected": rejected}


def vat(cents: list[int]) -> str:
    """The tax on all amounts, each rounded by itself to a hundredth of a cent."""
    total = Decimal(0)
    for amount in cents:
        share = (Decimal(amount) * Decimal("0.19")).quantize(Decimal("0.01"))
        total = total + share
    metrics.increment("vat")
    return str(total)


def any_over(amounts: list[int], limit: int) -> bool:
    """Whether an amount is over the limit."""
    return len([amount for amount in sorted(amounts) if amount > limit]) > 0


def balances(bookings: list[int]) -> list[int]:
    """The balance after each booking."""
    return [sum(bookings[: place + 1]) for place in range(len(bookings))]
