"""Rows of a plausible ledger: a few customers own many accounts, and a few accounts have most of the entries.

Every function yields tuples in the order of the columns named in ledger/seed.py; the same seed gives the same rows.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from ledger.models import AccountKind, Category
from ledger.repositories.accounts import house_number
from ledger.services.access import READ, STAFF, WRITE, key_hash

REFERENCE = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 730
PER_EURO = {"EUR": "1", "USD": "1.08", "GBP": "0.85", "SEK": "11.4"}
PURPOSES = ("clearing", "exchange")
FIRST_NAMES = "Ada Ben Cleo Dan Eva Finn Gina Hugo Ida Jon Kim Lea Max Nora Omar Pia Quinn Rosa Sam Tess".split()
LAST_NAMES = "Abel Berg Costa Dahl Engel Fuchs Grant Haas Ivers Jung Koch Lund Meyer Nowak Olsen Petit".split()
SHOPS = "Bakery Books Cinema Energy Florist Garage Grocer Hotel Insurance Kiosk Laundry Pharmacy Rail Telecom".split()
COUNTRIES = ("DE", "FR", "NL", "SE", "AT", "BE")
NAMES = ("daily", "travel", "house", "taxes", "reserve")
KEYS = {"mobile": ("ledger-local", f"{READ} {WRITE}"), "back office": ("staff-local", f"{READ} {WRITE} {STAFF}")}

# what an outside party books: (category, share, smallest and largest amount in minor units; debits are negative)
OUTSIDE = (
    (Category.CARD, 60, (-18_000, -150)),
    (Category.SALARY, 8, (180_000, 620_000)),
    (Category.RENT, 8, (-160_000, -45_000)),
    (Category.FEE, 10, (-1_500, -50)),
    (Category.INTEREST, 5, (1, 4_000)),
    (Category.DEPOSIT, 9, (5_000, 90_000)),
)


@dataclass(frozen=True)
class AccountRow:
    """What the rows of transactions need to know about an account."""

    id: int
    number: str
    currency: str


@dataclass(frozen=True)
class Booking:
    """A transaction: what it says, when, and its two legs as (account, amount, counterparty)."""

    description: str
    category: Category
    booked_at: datetime
    legs: tuple[tuple[AccountRow, int, str], tuple[AccountRow, int, str]]


class Skewed:
    """Draws from a sequence, its k-th element with a weight of 1 / k ** exponent (Zipf)."""

    def __init__(self, rng: random.Random, values: Sequence[Any], exponent: float) -> None:
        self.rng, self.values = rng, values
        self.cumulative = list(accumulate(k**-exponent for k in range(1, len(values) + 1)))

    def draw(self) -> Any:
        return self.rng.choices(self.values, cum_weights=self.cumulative)[0]


def clients() -> Iterator[tuple[Any, ...]]:
    for name, (key, scopes) in KEYS.items():
        yield name, key_hash(key), scopes


def customers(rng: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    for n in range(1, count + 1):
        name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
        currency = "SEK" if n % 11 == 0 else "EUR"
        yield n, name, f"customer{n}@example.com", rng.choice(COUNTRIES), currency, REFERENCE - timedelta(days=DAYS + n)


def accounts(rng: random.Random, count: int, people: int) -> Iterator[tuple[Any, ...]]:
    """First those of the customers, then our own; all begin empty."""
    owners = Skewed(rng, range(1, people + 1), 0.6)
    opened = REFERENCE - timedelta(days=DAYS + 1)
    for n in range(1, count + 1):
        kind = AccountKind.SAVINGS if n % 6 == 0 else AccountKind.CURRENT
        currency = rng.choices(tuple(PER_EURO), weights=(14, 3, 2, 1))[0]
        overdraft = 50_000 if kind == AccountKind.CURRENT else 0
        yield n, f"DE{n:016d}", owners.draw(), rng.choice(NAMES), kind, currency, 0, overdraft, opened
    house = [(purpose, currency) for purpose in PURPOSES for currency in PER_EURO]
    for n, (purpose, currency) in enumerate(house, start=count + 1):
        yield n, house_number(purpose, currency), None, purpose, AccountKind.HOUSE, currency, 0, 0, opened


def bookings(
    rng: random.Random, count: int, owned: Sequence[AccountRow], house: Sequence[AccountRow]
) -> Iterator[Booking]:
    """A first deposit into each account, then what happened since; `count` in all, in the order of time."""
    clearing = {account.currency: account for account in house if account.number.startswith("HOUSE-CLEARING")}
    step = timedelta(days=DAYS) / count
    busy, shops = Skewed(rng, owned, 0.9), Skewed(rng, [f"{shop} {n}" for n in range(1, 31) for shop in SHOPS], 0.8)
    for n in range(count):
        when = REFERENCE - timedelta(days=DAYS) + step * (n + rng.random())
        if n < len(owned):
            yield outside(
                owned[n], clearing, Category.DEPOSIT, rng.randint(20_000_000, 90_000_000), "first deposit", when
            )
        elif rng.random() < 0.3:
            source, target = rng.sample((busy.draw(), rng.choice(owned)), 2)
            yield between(source, target, clearing, rng.randint(100, 250_000), when)
        else:
            category, _, amounts = rng.choices(OUTSIDE, weights=[share for _, share, _ in OUTSIDE])[0]
            yield outside(busy.draw(), clearing, category, rng.randint(*amounts), shops.draw(), when)


def outside(
    account: AccountRow, clearing: dict[str, AccountRow], category: Category, amount: int, party: str, when: datetime
) -> Booking:
    """A payment to or from another bank."""
    ours = clearing[account.currency]
    return Booking(f"{category} {party}", category, when, ((account, amount, party), (ours, -amount, account.number)))


def between(
    source: AccountRow, target: AccountRow, clearing: dict[str, AccountRow], amount: int, when: datetime
) -> Booking:
    """A transfer within the house; to another currency it went through another bank in the old days."""
    if source.currency != target.currency or source.id == target.id:
        return outside(source, clearing, Category.TRANSFER, -amount, target.number, when)
    legs = ((source, -amount, target.number), (target, amount, source.number))
    return Booking("standing order", Category.TRANSFER, when, legs)


def exchange_rates(rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for back in range(DAYS, -1, -1):
        for currency, rate in PER_EURO.items():
            drift = Decimal(1 if currency == "EUR" else round(rng.uniform(0.97, 1.03), 4))
            yield currency, (REFERENCE - timedelta(days=back)).date(), Decimal(rate) * Decimal(str(drift))
