"""Examples for `gather`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

EVIDENCE = Evidence(executions_per_call=2.0, notes=("One after the other: http GET prices 1.0 × 24 ms",))
FINDING: Finding = example_finding("sequential_calls", "shop.quotes:quote", "shop/quotes.py", EVIDENCE)
METHOD: Finding = example_finding("sequential_calls", "shop.quotes:Quotes.quote", "shop/quotes.py", EVIDENCE)


def act(name: str, before: str, after: str, finding: Finding = FINDING) -> Act:
    """One file changes."""
    return Act(name, {"shop/quotes.py": before}, finding, {"shop/quotes.py": after})


def refuse(name: str, body: str, why: Why = Why.AMBIGUOUS, detail: str = "", finding: Finding = FINDING) -> Refuse:
    """One file stays."""
    return Refuse(name, {"shop/quotes.py": body}, finding, why, detail)


LOCAL = '''"""Quotes."""

import httpx


async def quote(sku):
    async with httpx.AsyncClient(base_url="http://prices") as prices, httpx.AsyncClient(timeout=5) as stocks:
        price = await prices.get(f"/price/{sku}")  # in cents
        stock = await stocks.get("http://stocks", params={"sku": sku})  # pieces
        return price.json(), stock.json()
'''
LOCAL_AFTER = '''"""Quotes."""

import asyncio

import httpx


async def quote(sku):
    async with httpx.AsyncClient(base_url="http://prices") as prices, httpx.AsyncClient(timeout=5) as stocks:
        price, stock = await asyncio.gather(
            prices.get(f"/price/{sku}"),
            stocks.get("http://stocks", params={"sku": sku}),  # pieces
        )  # in cents
        return price.json(), stock.json()
'''
INSTANCE = """import asyncio

import httpx


class Quotes:
    def __init__(self, prices_url, stocks_url):
        self.prices = httpx.AsyncClient(base_url=prices_url)
        self.stocks = httpx.AsyncClient(base_url=stocks_url, timeout=2.0)

    async def quote(self, sku):
        price = await self.prices.get(sku)
        stock = await self.stocks.get(sku)
        return price.json()["cents"], stock.status_code

    async def close(self):
        await asyncio.gather(self.prices.aclose(), self.stocks.aclose())
"""
INSTANCE_AFTER = INSTANCE.replace(
    """        price = await self.prices.get(sku)
        stock = await self.stocks.get(sku)
""",
    """        price, stock = await asyncio.gather(
            self.prices.get(sku),
            self.stocks.get(sku),
        )
""",
)
MODULE = """from asyncio import gather

import httpx

PRICES = httpx.AsyncClient(base_url="http://prices")
STOCKS = httpx.AsyncClient(base_url="http://stocks")
RATES = httpx.AsyncClient(base_url="http://rates")


async def quote(skus):
    for sku in skus:
        price = await PRICES.get(sku)
        stock = await STOCKS.head(sku)
        rate = await RATES.options("/now")
        print(price, stock, rate)
"""
MODULE_AFTER = MODULE.replace("from asyncio import gather\n", "import asyncio\nfrom asyncio import gather\n").replace(
    """        price = await PRICES.get(sku)
        stock = await STOCKS.head(sku)
        rate = await RATES.options("/now")
""",
    """        price, stock, rate = await asyncio.gather(
            PRICES.get(sku),
            STOCKS.head(sku),
            RATES.options("/now"),
        )
""",
)
AIOHTTP = """import asyncio
from aiohttp import ClientSession


async def quote(sku):
    prices = ClientSession("http://prices")
    stocks = ClientSession("http://stocks", raise_for_status=True)
    try:
        price = await prices.get("/price", params={"sku": sku})
        stock = await stocks.get("/stock", params={"sku": sku})
        return await price.json(), await stock.json()
    finally:
        await prices.close()
        await stocks.close()
"""
AIOHTTP_AFTER = AIOHTTP.replace(
    """        price = await prices.get("/price", params={"sku": sku})
        stock = await stocks.get("/stock", params={"sku": sku})
""",
    """        price, stock = await asyncio.gather(
            prices.get("/price", params={"sku": sku}),
            stocks.get("/stock", params={"sku": sku}),
        )
""",
)
IF = INSTANCE.replace(
    "        price = await self.prices.get(sku)\n        stock = await self.stocks.get(sku)\n",
    "        price = stock = None\n"
    "        if sku:\n            price = await self.prices.get(sku)\n            stock = await self.stocks.get(sku)\n",
)
IF_AFTER = IF.replace(
    "            price = await self.prices.get(sku)\n            stock = await self.stocks.get(sku)\n",
    "            price, stock = await asyncio.gather(\n"
    "                self.prices.get(sku),\n                self.stocks.get(sku),\n            )\n",
)
TWO = INSTANCE.replace(
    "        return price",
    "        print(price)\n        more = await self.stocks.get('a')\n        other = await self.prices.get('b')\n"
    "        print(more, other)\n        return price",
)
TWO_AFTER = INSTANCE_AFTER.replace(
    "        return price",
    "        print(price)\n        more, other = await asyncio.gather(\n            self.stocks.get('a'),\n"
    "            self.prices.get('b'),\n        )\n        print(more, other)\n        return price",
)
SESSION = """from sqlalchemy.ext.asyncio import AsyncSession


async def quote(session: AsyncSession, sku):
    price = await session.get(Price, sku)
    stock = await session.get(Stock, sku)
    return price, stock
"""

GATHER: tuple[Act | Refuse, ...] = (
    act("two clients of a block", LOCAL, LOCAL_AFTER),
    act("two clients of an instance", INSTANCE, INSTANCE_AFTER, METHOD),
    act("three clients of a module", MODULE, MODULE_AFTER),
    act("aiohttp, closed at last", AIOHTTP, AIOHTTP_AFTER),
    act("in one branch", IF, IF_AFTER, METHOD),
    act("two pairs", TWO, TWO_AFTER, METHOD),
    refuse("one session of a database", SESSION, detail="session is not certainly an HTTP client"),
    refuse(
        "one connection of asyncpg",
        SESSION.replace("session.get(Price, sku)", "connection.fetch('a')").replace(
            "session.get(Stock, sku)", "connection.fetch('b')"
        ),
        detail="fetch()",
    ),
    refuse("the same client", INSTANCE.replace("await self.stocks.get", "await self.prices.get"), detail="cookies",
        finding=METHOD),
    refuse("needs the answer before", INSTANCE.replace("stocks.get(sku)", "stocks.get(price)"), Why.NOT_INVARIANT,
        "needs price", METHOD),
    refuse("a write", INSTANCE.replace("stocks.get(sku)", "stocks.post(sku)"), detail="post()", finding=METHOD),
    refuse("a shared jar of cookies", LOCAL.replace("timeout=5", "cookies=jar"), detail="stocks is not certainly"),
    refuse("shared credentials", LOCAL.replace("timeout=5", "auth=auth"), detail="stocks is not certainly"),
    refuse("a client that is handed in", LOCAL.replace("(sku)", "(sku, stocks)", 1).replace(
        ", httpx.AsyncClient(timeout=5) as stocks", ""), detail="stocks is not certainly"),
    refuse("a client that is replaced", INSTANCE + "\n\ndef use(quotes, other):\n    quotes.stocks = other\n",
        detail="self.stocks", finding=METHOD),
    refuse("an error is looked at", AIOHTTP.replace("    finally:\n", "    except OSError:\n        pass\n    else:\n"),
        detail="looks at errors"),
    refuse("under a timer", LOCAL.replace("        price =", "     with timer():\n        price =").replace(
        "        stock =", "        stock ="), detail="may look at errors"),
    refuse("an argument that may change", INSTANCE.replace("stocks.get(sku)", "stocks.get(self.path)"),
        detail="`self.path`", finding=METHOD),
    refuse("something between", INSTANCE.replace("        stock", "        print()\n        stock"), Why.NO_PATTERN,
        finding=METHOD),
    refuse("no coroutine", "def quote(a):\n    b = a.get(1)\n    c = a.get(2)  # no await \n", Why.NO_PATTERN),
    refuse("done", INSTANCE_AFTER, Why.NO_PATTERN, finding=METHOD),
    refuse("a comment says so", LOCAL.replace("# pieces", "# do not ask earlier"), Why.LOAD_BEARING),
)  # fmt: skip
