"""Examples for `hoist_query`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding, Site
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from django.db import models


class TaxRate(models.Model):
    code = models.CharField(max_length=10)
    percent = models.IntegerField()


class Invoice(models.Model):
    amount = models.IntegerField()
    total = models.IntegerField(default=0)
"""
HEAD = "from django.utils import timezone\n\nfrom bills.models import Invoice, TaxRate\n\n\n"
RATE = 'SELECT "bills_taxrate"."id" FROM "bills_taxrate" WHERE "bills_taxrate"."code" = ? LIMIT ?'


def finding(line: int, *, function: str = "totals", site: str = "", statement: str = RATE) -> Finding:
    """A finding in `bills/services.py`, at a line counted from the function's own first line (1)."""
    where = f"bills.services:{site or function}"
    place = Site(function=where, file="bills/services.py", line=line + 5)
    evidence = Evidence(statement=statement, statement_id="s1", site=place, identical_per_call=20)
    return example_finding("repeated_query", f"bills.services:{function}", "bills/services.py", evidence, line=6)


def act(name: str, before: str, after: str, what: Finding) -> Act:
    """The common case: one file of services changes."""
    files = {"bills/models.py": MODELS, "bills/services.py": HEAD + before}
    return Act(name, files, what, {"bills/services.py": HEAD + after})


def refuse(name: str, body: str, what: Finding, why: Why, detail: str = "", **more: str) -> Refuse:
    """The common case: services that must stay."""
    return Refuse(name, {"bills/models.py": MODELS, "bills/services.py": HEAD + body, **more}, what, why, detail)


NAMED = """def totals(code):
    out = []
    # one line each
    for invoice in Invoice.objects.all():
        rate = TaxRate.objects.get(code=code)  # by code
        out.append(invoice.amount * rate.percent)
    return out
"""
NAMED_AFTER = """def totals(code):
    out = []
    rate = None
    # one line each
    for invoice in Invoice.objects.all():
        if rate is None:
            rate = TaxRate.objects.get(code=code)  # by code
        out.append(invoice.amount * rate.percent)
    return out
"""
INLINE = """def totals(years):
    out = []

    for year in years:
        for invoice in year:
            if invoice.amount:
                out.append(invoice.amount * TaxRate.objects.get(code="full").percent)
    return out
"""
INLINE_AFTER = """def totals(years):
    out = []

    tax_rate = None
    for year in years:
        for invoice in year:
            if invoice.amount:
                if tax_rate is None:
                    tax_rate = TaxRate.objects.get(code="full")
                out.append(invoice.amount * tax_rate.percent)
    return out
"""
HELPER = '''def get_rate(code):
    """The rate in force."""
    return TaxRate.objects.filter(code=code).first()


def totals(invoices):
    out = []
    for invoice in invoices:
        out.append(invoice.amount * get_rate("full").percent)
    return out
'''
HELPER_AFTER = HELPER.replace("    for invoice", "    rate = None\n    for invoice").replace(
    '        out.append(invoice.amount * get_rate("full")',
    '        if rate is None:\n            rate = get_rate("full")\n        out.append(invoice.amount * rate',
)
INNER = """def totals(codes, invoices):
    for code in codes:
        for invoice in invoices:
            if TaxRate.objects.filter(code=code).exists():
                print(invoice, code)
"""
INNER_AFTER = """def totals(codes, invoices):
    for code in codes:
        has_taxrate = None
        for invoice in invoices:
            if has_taxrate is None:
                has_taxrate = TaxRate.objects.filter(code=code).exists()
            if has_taxrate:
                print(invoice, code)
""".replace("has_taxrate", "has_tax_rate")
TWICE = """def totals(invoice):
    rate = TaxRate.objects.get(code="full")
    net = invoice.amount * rate.percent
    if net:
        net += TaxRate.objects.get(code="full").percent
    return net
"""
TWICE_AFTER = TWICE.replace('+= TaxRate.objects.get(code="full")', "+= rate")
COUNT = 'SELECT COUNT(*) AS "__count" FROM "bills_taxrate" WHERE "bills_taxrate"."code" = ?'
USED_LATER = NAMED.replace("return out", "return out, rate.percent")
USED_LATER_AFTER = (
    NAMED_AFTER.replace("return out", "return out, rate.percent")
    .replace(
        """        if rate is None:
            rate = TaxRate.objects.get(code=code)  # by code
""",
        """        if tax_rate is None:
            tax_rate = TaxRate.objects.get(code=code)
        rate = tax_rate  # by code
""",
    )
    .replace("    rate = None\n", "    tax_rate = None\n")
)

HOIST_QUERY: tuple[Act | Refuse, ...] = (
    act("a name of its own", NAMED, NAMED_AFTER, finding(5)),
    act("inline, out of two loops", INLINE, INLINE_AFTER, finding(7)),
    act("a helper that only asks", HELPER, HELPER_AFTER, finding(3, site="get_rate")),
    act("only out of the inner loop", INNER, INNER_AFTER, finding(4, statement=COUNT)),
    act("used after the loop", USED_LATER, USED_LATER_AFTER, finding(5)),
    act("twice without a loop", TWICE, TWICE_AFTER, finding(2)),
    refuse(
        "the argument changes",
        NAMED.replace("code=code)", "code=invoice.code)"),
        finding(5),
        Why.NOT_INVARIANT,
        "`invoice` changes",
    ),
    refuse(
        "the argument is assigned",
        NAMED.replace("        out", "        code += 'x'\n        out"),
        finding(5),
        Why.NOT_INVARIANT,
        "`code` changes",
    ),
    refuse(
        "writes",
        NAMED.replace("        out", "        TaxRate.objects.update(percent=1)\n        out"),
        finding(5),
        Why.LOOP_WRITES,
        "bills_taxrate",
    ),
    refuse(
        "writes in a function that it calls",
        NAMED.replace("        out", "        raise_it()\n        out")
        + "\n\ndef raise_it():\n    TaxRate.objects.filter(code='a').update(percent=2)\n",
        finding(5),
        Why.LOOP_WRITES,
        "services.py:17",
    ),
    refuse(
        "writes in a method of something unknown",
        NAMED.replace("code):", "code, book):").replace("        out", "        book.enter(invoice)\n        out")
        + "\n\nclass Book:\n    def enter(self, invoice):\n        TaxRate.objects.all().delete()\n",
        finding(5),
        Why.LOOP_WRITES,
    ),
    refuse(
        "writes elsewhere, with signals about",
        NAMED.replace("        out", "        invoice.save()\n        out"),
        finding(5),
        Why.LOOP_WRITES,
        "bills_invoice",
        **{"bills/signals.py": "from django.db.models.signals import post_save\n"},
    ),
    refuse("row lock", NAMED.replace("objects.get", "objects.select_for_update().get"), finding(5), Why.LOOP_LOCKS),
    refuse(
        "the clock",
        NAMED.replace("code=code)", "code=code, until__gt=timezone.now())"),
        finding(5),
        Why.READS_CLOCK,
        "services.py:10",
    ),
    refuse(
        "the clock in a helper",
        HELPER.replace("code=code)", "code=code, until__gt=timezone.now())"),
        finding(3, site="get_rate"),
        Why.READS_CLOCK,
        "services.py:8",
    ),
    refuse(
        "the object is changed",
        NAMED.replace("        out", "        rate.percent += 1\n        out"),
        finding(5),
        Why.LOAD_BEARING,
        "`rate`",
    ),
    refuse(
        "the object is read again",
        NAMED.replace("        out", "        rate.refresh_from_db()\n        out"),
        finding(5),
        Why.LOOP_WRITES,
    ),
    refuse(
        "the object is kept",
        NAMED.replace("        out", "        out.append(rate)\n        out"),
        finding(5),
        Why.AMBIGUOUS,
        "`rate`",
    ),
    refuse("a comment says so", NAMED.replace("# by code", "# must be read each time"), finding(5), Why.LOAD_BEARING),
    refuse(
        "a comment above says so",
        NAMED.replace("# one line each", "# Do not cache the rate here"),
        finding(5),
        Why.LOAD_BEARING,
        "Do not cache",
    ),
    refuse(
        "waits for a change",
        "def totals(code):\n    while TaxRate.objects.filter(code=code).count() < 3:\n        pass\n",
        finding(2, statement=COUNT),
        Why.NOT_INVARIANT,
        "while",
    ),
    refuse(
        "only in some cases",
        NAMED.replace("rate = ", "rate = invoice.amount and "),
        finding(5),
        Why.NO_PATTERN,
        "some cases",
    ),
    refuse(
        "in a comprehension",
        "def totals(invoices):\n    return [i.amount * TaxRate.objects.get(code='a').percent for i in invoices]\n",
        finding(2),
        Why.NO_PATTERN,
        "some cases",
    ),
    refuse(
        "a generator",
        NAMED.replace("out.append(invoice.amount * rate.percent)", "yield rate.percent"),
        finding(5),
        Why.AMBIGUOUS,
        "yields",
    ),
    refuse(
        "twice with a write between",
        TWICE.replace("    if net", "    TaxRate(code='full').save()\n    if net"),
        finding(2),
        Why.LOOP_WRITES,
    ),
    refuse(
        "twice, on two branches",
        "def totals(a):\n    if a:\n        rate = TaxRate.objects.get(code='a')\n    else:\n"
        "        rate = TaxRate.objects.get(code='a')\n    return rate\n",
        finding(3),
        Why.NO_PATTERN,
        "may run without",
    ),
    refuse("kept already", NAMED_AFTER, finding(6), Why.ALREADY_DONE, "services.py:11"),
    refuse("once", "def totals(a):\n    return TaxRate.objects.get(code='a')\n", finding(2), Why.NO_PATTERN, "no loop"),
)
